import { host, udf } from "fuselet/udf";

const spellings = (granted: string) => ({
  plain: `${granted}/Secr\u00e9t/canary`,
  "small letters": `${granted}/secr\u00e9t/canary`,
  capitals: `${granted}/SECR\u00c9T/canary`,
  decomposed: `${granted}/Secre\u0301t/canary`,
  "full-width": `${granted}/\uff33ecr\u00e9t/canary`,
  "dot at the end": `${granted}/Secr\u00e9t./canary`,
  "space at the end": `${granted}/Secr\u00e9t /canary`,
  "two slashes": `${granted}//Secr\u00e9t//canary`,
  link: `${granted}/link/canary`,
  "link to the file": `${granted}/file`,
  encoded: `${granted}/%53ecr%c3%a9t/canary`,
});

export default udf({}, async ({ granted }: { granted: string }) => {
  const reached: string[] = [];
  for (const [name, path] of Object.entries(spellings(granted))) {
    for (const method of ["get", "open", "details"]) {
      const answer = await host.call(`storage.${method}`, path).catch(() => null);
      if (answer && !reached.includes(name)) reached.push(name);
    }
  }
  const page = await host.call("storage.list", `${granted}/`, { recursive: true });
  if ((page as { entries: { name: string }[] }).entries.some(({ name }) => name === "canary"))
    reached.push("list");
  const options = { maxDeletionDepth: "unlimited" };
  if (await host.call("storage.delete", `${granted}/`, options).catch(() => false))
    reached.push("delete around");
  return reached;
});

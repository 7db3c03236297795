import { host, udf } from "fuselet/udf";

/** Waits a while for an end. */
const soon = (call: Promise<unknown>) =>
  Promise.race([
    call.then(
      () => "an answer",
      (error) => (error.name === "StorageError" ? null : error.name),
    ),
    new Promise((resolve) => setTimeout(resolve, 500, "no end")),
  ]);

export default udf({}, async ({ granted }: { granted: string }) => {
  const reached: string[] = [];
  for (const [method, name] of [
    ["get", "pipe"],
    ["open", "pipe"],
    ["details", "pipe"],
    ["get", "link"],
    ["get", "socket"],
    ["open", "socket"],
  ]) {
    if (await soon(host.call(`storage.${method}`, `${granted}/${name}`))) reached.push(`${method} ${name}`);
  }
  const listed = soon(
    host.call("storage.list", `${granted}/`).then((page) => {
      const { entries } = page as { entries: { name: string }[] };
      const shown = entries.filter(({ name }) => ["pipe", "socket", "link"].includes(name));
      return shown.length > 0 || Promise.reject({ name: "StorageError" });
    }),
  );
  if (await listed) reached.push("list");
  return reached;
});

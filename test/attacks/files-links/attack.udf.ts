import { host, udf } from "fuselet/udf";

export default udf({}, async ({ granted }: { granted: string }) => {
  const reached: string[] = [];
  const attempt = async (name: string, work: Promise<unknown>) => {
    const answer = await work.catch(() => false);
    if (answer !== false) reached.push(name);
  };
  for (const name of [
    "file",
    "folder/canary",
    "chain",
    "below/up/canary",
    "folder/../canary",
    "hidden/canary",
  ]) {
    for (const method of ["get", "open", "details"]) {
      await attempt(`${method} ${name}`, host.call(`storage.${method}`, `${granted}/${name}`));
    }
  }
  const bytes = new TextEncoder().encode("changed");
  for (const name of ["folder/planted", "dangling", "chain/planted", "below/up/planted"]) {
    await attempt(
      `put ${name}`,
      host.call("storage.put", `${granted}/${name}`, bytes).then(() => name !== "dangling"),
    );
    await attempt(`openWrite ${name}`, begin(`${granted}/${name}`));
  }
  for (const name of ["folder", "chain", "below/up", "circle"]) {
    const list = host.call("storage.list", `${granted}/${name}/`, { recursive: true });
    await attempt(
      `list ${name}`,
      list.then((page) => (page as { entries: [] }).entries.length > 0),
    );
  }
  const all = (await host
    .call("storage.list", `${granted}/`, { recursive: true })
    .catch(() => ({ entries: [] }))) as {
    entries: { url: string }[];
  };
  if (all.entries.some(({ url }) => url.includes("folder/") || url.includes("canary")))
    reached.push("list all");
  for (const name of ["folder/canary", "below/up/canary"])
    await attempt(
      `delete ${name}`,
      host.call("storage.delete", `${granted}/${name}`).then((found) => found || Promise.reject()),
    );
  // What goes is the link, and never what it leads to: the canary tells.
  await host.call("storage.delete", `${granted}/`, { maxDeletionDepth: "unlimited" }).catch(() => {});
  return reached;
});

async function begin(url: string) {
  const upload = await host.call("storage.openWrite", url);
  await host.call("storage.writePart", upload, new Uint8Array(1));
  if (url.endsWith("dangling")) return host.call("storage.abortWrite", upload).then(() => Promise.reject());
  return host.call("storage.commitWrite", upload);
}

import { host, udf } from "fuselet/udf";

export default udf({}, async (parameters: { granted: string; data: string; cache: string }) => {
  const { granted, data, cache } = parameters;
  const targets = {
    key: `${cache}/results/key`,
    "snapshots' key": `${cache}/key`,
    grants: `${data}/grants.json`,
    "by a link": `${granted}/host/grants.json`,
    "by a link to a file": `${granted}/grants`,
    "another principal's": `${data}/files/somebody/secret`,
    "another principal's by fd": "fd://../somebody/secret",
  };
  const reached: string[] = [];
  for (const [name, path] of Object.entries(targets)) {
    for (const method of ["get", "open", "details"]) {
      const answer = await host.call(`storage.${method}`, path).catch(() => null);
      if (answer && !reached.includes(name)) reached.push(name);
    }
  }
  for (const folder of [`${data}/`, `${cache}/`, `${granted}/host/`, data.replace(/[^/]+$/, "")]) {
    const page = await host.call("storage.list", folder, { recursive: true }).catch(() => ({ entries: [] }));
    const { entries } = page as { entries: { name: string }[] };
    if (entries.some(({ name }) => /grants|key|secret/.test(name))) reached.push("listed");
  }
  for (const path of [
    `${data}/grants.json`,
    `${data}/planted`,
    `${cache}/results/planted`,
    `${granted}/host/planted`,
  ]) {
    const answer = await host.call("storage.put", path, new TextEncoder().encode("{}")).catch(() => "no");
    if (answer !== "no" && !reached.includes("planted")) reached.push("planted");
  }
  for (const folder of [`${data}/`, `${cache}/`, `${granted}/host/`]) {
    const options = { maxDeletionDepth: "unlimited" };
    const gone = await host.call("storage.delete", `${folder}none/`, options).catch(() => false);
    if (gone && !reached.includes("deleted")) reached.push("deleted");
  }
  return reached;
});

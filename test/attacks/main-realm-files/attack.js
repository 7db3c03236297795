/** Files and databases, with the main realm's globals in hand. */
export default async ({ main, target }) => {
  const reached = [];
  const ways = {
    require: () => main.require("node:fs").readFileSync(target.canary),
    builtin: () => main.process.getBuiltinModule("fs").readFileSync(target.canary),
    "dynamic import": async () => (await import("node:fs")).readFileSync(target.canary),
    binding: () => main.process.binding("fs").open,
    report: () => main.process.report.writeReport(`${target.folder}/report`),
    environment: () => main.process.loadEnvFile(target.canary),
    chdir: () => main.process.chdir(target.folder),
    sqlite: () =>
      new (main.process.getBuiltinModule("node:sqlite").DatabaseSync)(`${target.folder}/database`),
    storage: () => main.localStorage.setItem("a", "b"),
    snapshot: () => main.process.getBuiltinModule("v8").writeHeapSnapshot(`${target.folder}/heap`),
  };
  for (const [name, go] of Object.entries(ways)) {
    try {
      if ((await go()) !== null) reached.push(name);
    } catch {}
  }
  return reached;
};

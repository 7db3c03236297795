/** Processes, threads and foreign code, with the main realm's globals in hand. */
export default async ({ main, target }) => {
  const reached = [];
  const builtin = (name) => main.process.getBuiltinModule(name);
  const ways = {
    exec: () => builtin("child_process").execFileSync("/bin/true"),
    worker: () => new (builtin("worker_threads").Worker)("process.exit()", { eval: true }),
    cluster: () => builtin("cluster").fork,
    spawn: () => main.process.binding("spawn_sync").spawn,
    inspector: () => new (builtin("inspector").Session)().connect(),
    wasi: () => new (builtin("wasi").WASI)({ version: "preview1", preopens: { "/": target.folder } }),
    addon: () => main.process.dlopen({ exports: {} }, `${target.folder}/none.node`),
    context: () => builtin("vm").runInThisContext("1"),
    loader: () => builtin("module").createRequire("/")("node:fs"),
    replace: () => main.process.execve.name,
  };
  for (const [name, go] of Object.entries(ways)) {
    try {
      if ((await go()) !== null) reached.push(name);
    } catch {}
  }
  return reached;
};

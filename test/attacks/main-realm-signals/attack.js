/** Signals to the host and to others, with the main realm's globals in hand. */
export default async ({ main, target }) => {
  const reached = [];
  const { process } = main;
  const ways = {
    kill: () => process.kill(target.pid, "SIGWINCH"),
    parent: () => process.kill(process.ppid, 0),
    raw: () => process._kill(target.pid, 28),
    debug: () => process._debugProcess(target.pid),
    builtin: () => process.getBuiltinModule("process").kill(target.pid, "SIGWINCH"),
    priority: () => process.getBuiltinModule("os").setPriority(target.pid, 19),
  };
  for (const [name, go] of Object.entries(ways)) {
    try {
      if (process && (await go()) !== null) reached.push(name);
    } catch {}
  }
  return reached;
};

/** New code in the main realm: the attack's own script cannot import, a script of the main realm could. */
export default async ({ main }) => {
  const reached = [];
  const ways = {
    Function: () => new main.Function("return 1")(),
    eval: () => main.eval("1"),
    AsyncFunction: () => main.Object.getPrototypeOf(async () => {}).constructor("return 1"),
    timer: () => main.setTimeout("globalThis.ran = 1", 0) && undefined,
    wasm: () => main.WebAssembly.compileStreaming && main.Response && "streaming",
  };
  for (const [name, go] of Object.entries(ways)) {
    try {
      if (go()) reached.push(name);
    } catch {}
  }
  return reached;
};

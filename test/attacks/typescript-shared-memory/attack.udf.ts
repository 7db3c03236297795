import { udf } from "fuselet/udf";

const NAMES = [
  "WebAssembly",
  "SharedArrayBuffer",
  "Atomics",
  "Worker",
  "SharedWorker",
  "MessageChannel",
  "MessagePort",
  "BroadcastChannel",
  "ServiceWorker",
];

export default udf({}, () => {
  // biome-ignore lint/suspicious/noExplicitAny: what may not be there
  const world = globalThis as Record<string, any>;
  const reached = NAMES.filter((name) => typeof world[name] !== "undefined");
  const ways: Record<string, () => unknown> = {
    wait: () => world.Atomics.wait(new Int32Array(new world.SharedArrayBuffer(8)), 0, 0, 1),
    memory: () => new world.WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
    // Shared by way of a resizable buffer or a transfer, if the clone lets it.
    clone: () => structuredClone(new world.SharedArrayBuffer(8)),
    species: () => Reflect.construct(ArrayBuffer, [8], world.SharedArrayBuffer),
  };
  for (const [name, way] of Object.entries(ways)) {
    try {
      way();
      reached.push(name);
    } catch {}
  }
  return reached;
});

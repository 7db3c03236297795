import { udf } from "fuselet/udf";

const POWERS = [
  ...[
    "process",
    "require",
    "module",
    "mainModule",
    "binding",
    "dlopen",
    "kill",
    "env",
    "spawn",
    "exit",
    "readFile",
  ],
  ...["XMLHttpRequest", "WebSocket", "EventSource", "Worker", "SharedWorker", "importScripts", "navigator"],
  ...["document", "parent", "top", "opener", "indexedDB", "caches", "localStorage", "cookie", "postMessage"],
  ...[
    "std",
    "os",
    "bjson",
    "scriptArgs",
    "print",
    "loadScript",
    "__loadScript",
    "gc",
    "Deno",
    "Bun",
    "WebAssembly",
  ],
  ...["SharedArrayBuffer", "Atomics", "MessageChannel", "BroadcastChannel", "open", "popen", "__host"],
];

export default udf({}, () => {
  const reached = new Set<string>();
  const seen = new Set<unknown>();
  const queue: unknown[] = [
    globalThis,
    (function (this: unknown) {
      return this;
    })(),
    new Proxy({}, {}),
    import.meta,
  ];
  for (let i = 0; i < queue.length && i < 20_000; i++) {
    const value = queue[i];
    if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value))
      continue;
    seen.add(value);
    queue.push(Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      if (POWERS.includes(String(key))) reached.add(String(key));
      const { value: held, get, set } = Reflect.getOwnPropertyDescriptor(value, key) ?? {};
      queue.push(held, get, set);
      try {
        if (get) queue.push(Reflect.apply(get, value, []));
      } catch {}
    }
  }
  return [...reached];
});

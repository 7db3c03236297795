/** Every function and value that came into the realm, and what hangs on it. */
export default ({ platform, host, foreign }) => {
  const reached = [];
  let seen = new Set();
  const start = (value, path) => {
    seen = new Set();
    walk(value, path, 0);
  };
  const walk = (value, path, depth) => {
    if (
      (typeof value !== "object" && typeof value !== "function") ||
      value === null ||
      seen.has(value) ||
      depth > 6
    )
      return;
    seen.add(value);
    if (foreign(value)) reached.push(path);
    for (const key of Reflect.ownKeys(value)) {
      const found = Reflect.getOwnPropertyDescriptor(value, key);
      if ("value" in found) walk(found.value, `${path}.${String(key)}`, depth + 1);
      else {
        walk(found.get, `${path}.get ${String(key)}`, depth + 1);
        walk(found.set, `${path}.set ${String(key)}`, depth + 1);
      }
    }
    walk(Reflect.getPrototypeOf(value), `${path}.__proto__`, depth + 1);
  };
  start(globalThis, "global");
  start(platform, "platform");
  start(host, "host");
  start(platform.bytes("bytes"), "bytes");
  start(platform.module("core"), "module");
  start(platform.codeCache(), "code");
  start(platform.bytes("none"), "none");
  return reached;
};

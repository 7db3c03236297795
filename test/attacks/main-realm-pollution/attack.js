/** Changed intrinsics of the main realm: does any of Node's or the child's own code hand over an object that leads out? */
export default async ({ main }) => {
  const reached = new Set();
  const seen = new Set();
  const doors = [
    "kill",
    "binding",
    "getBuiltinModule",
    "dlopen",
    "require",
    "readFileSync",
    "connect",
    "spawn",
    "execPath",
  ];
  const note = (value, depth = 0) => {
    if (
      (typeof value !== "object" && typeof value !== "function") ||
      value === null ||
      seen.has(value) ||
      depth > 4
    )
      return;
    seen.add(value);
    for (const door of doors) {
      try {
        if (typeof value[door] === "function") reached.add(door);
      } catch {}
    }
    for (const key of Reflect.ownKeys(value)) {
      try {
        note(Reflect.getOwnPropertyDescriptor(value, key)?.value, depth + 1);
      } catch {}
    }
  };
  /** Properties that Node looks for in its own objects, `process` among them. */
  const properties = [
    "channel",
    "env",
    "domain",
    "signal",
    "cwd",
    "importModuleDynamically",
    "noDeprecation",
    "throwDeprecation",
    "traceProcessWarnings",
    "options",
  ];
  let noting = false;
  // No spreading: where the attack runs in the realm that it changed, that would call the changed iterators for ever.
  const see = (self, args) => {
    if (noting) return;
    noting = true;
    note(self);
    note(args);
    noting = false;
  };
  const spy = (owner, key) => {
    const original = Reflect.getOwnPropertyDescriptor(owner, key)?.value;
    if (typeof original !== "function") return;
    try {
      owner[key] = function (...args) {
        see(this, args);
        return Reflect.apply(original, this, args);
      };
    } catch {
      return;
    }
  };
  for (const kind of [
    "Map",
    "Set",
    "Array",
    "Promise",
    "Function",
    "Object",
    "String",
    "WeakMap",
    "RegExp",
  ]) {
    const { prototype } = main[kind];
    for (const key of Reflect.ownKeys(prototype))
      if (key !== "constructor" && key !== "__proto__") spy(prototype, key);
  }
  for (const key of properties) {
    Reflect.defineProperty(main.Object.prototype, key, {
      __proto__: null,
      configurable: true,
      get() {
        see(this, undefined);
        return undefined;
      },
      set(value) {
        Reflect.defineProperty(this, key, {
          __proto__: null,
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      },
    });
  }
  // What can be asked to do something is asked.
  try {
    main.process?.emitWarning("w", "DeprecationWarning");
  } catch {}
  // Timers, immediates and the child's own reading go on meanwhile.
  for (let i = 0; i < 3; i++) await new Promise((resolve) => main.setTimeout(resolve, 2));
  for (const key of properties) {
    delete main.Object.prototype[key];
  }
  return [...reached];
};

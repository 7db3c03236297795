import { udf } from "fuselet/udf";

const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { add, has } = Set.prototype;
const { push } = Array.prototype;

/** All functions that everybody may have anyway. */
function publicFunctions(): Set<unknown> {
  const seen = new Set<unknown>();
  const queue: unknown[] = [globalThis];
  for (let i = 0; i < queue.length; i++) {
    const value = queue[i];
    if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value))
      continue;
    seen.add(value);
    queue.push(getPrototypeOf(value));
    for (const key of ownKeys(value)) {
      const { value: held, get, set } = getOwnPropertyDescriptor(value, key) ?? {};
      queue.push(held, get, set);
    }
  }
  return seen;
}

export default udf({}, async () => {
  const reached: string[] = [];
  const known = publicFunctions();
  const note = (name: string, value: unknown) => {
    if (typeof value === "function" && !apply(has, known, [value])) apply(push, reached, [name]);
  };
  const patch = (owner: object, label: string) => {
    for (const key of ownKeys(owner)) {
      const descriptor = getOwnPropertyDescriptor(owner, key);
      if (typeof descriptor?.value !== "function" || !descriptor.configurable || key === "constructor")
        continue;
      const original = descriptor.value;
      const name = `${label}.${String(key)}`;
      const spy = function (this: unknown, ...args: unknown[]) {
        note(name, this);
        for (let i = 0; i < args.length; i++) note(name, args[i]);
        return apply(original, this, args);
      };
      apply(add, known, [spy]);
      defineProperty(owner, key, { ...descriptor, value: spy });
    }
  };
  for (const key of ["ok", "error", "then", "text", "buffers", "id", "kind", "$"]) {
    defineProperty(Object.prototype, key, {
      configurable: true,
      set(value) {
        note(`setter ${key}`, value);
      },
    });
  }
  const world = globalThis as unknown as Record<string, { prototype: object }>;
  for (const label of ["Reflect", "Object", "Math", "console"]) patch(world[label]!, label);
  for (const label of ["Map", "Set", "WeakMap", "Promise", "Function", "Array", "ArrayBuffer"])
    patch(world[label]!.prototype, label);
  patch(getPrototypeOf(Uint8Array.prototype) as object, "TypedArray");
  // Whoever still uses it writes another answer.
  JSON.stringify = () => '["JSON.stringify"]';
  return reached;
});

/**
 * Freezes the realm's intrinsics before any engine boots, so that nothing a run does to a prototype lives on:
 * a value put on `Array.prototype` would survive a memory restore and reach the next run.
 */

/** Prototypes whose properties engines shadow by plain assignment (`error.name = …`), which a frozen prototype would refuse. */
const SHADOWED = () => [Object.prototype, Function.prototype, Array.prototype, Error.prototype];

/** Intrinsics that no global names. */
function hidden(): unknown[] {
  const generator = function* () {};
  const asyncGenerator = async function* () {};
  return [
    generator,
    asyncGenerator,
    async () => {},
    generator(),
    asyncGenerator(),
    [][Symbol.iterator](),
    new Map().entries(),
    new Set().values(),
    ""[Symbol.iterator](),
    "".matchAll(/x/g),
    Object.getPrototypeOf(Int8Array),
  ].map((value) =>
    typeof value === "function" && value === Object.getPrototypeOf(Int8Array)
      ? value
      : Object.getPrototypeOf(value),
  );
}

/** An accessor that reads as the value and lets an inheriting object get an own property by assignment, as if nothing were frozen. */
function unshadow(owner: object, key: string, descriptor: PropertyDescriptor): void {
  const { value, enumerable = false } = descriptor;
  Object.defineProperty(owner, key, {
    configurable: false,
    enumerable,
    get: () => value,
    set(this: object, next: unknown) {
      if (this === owner) throw new TypeError(`Cannot change ${key}: the realm is frozen`);
      Object.defineProperty(this, key, { value: next, writable: true, enumerable: true, configurable: true });
    },
  });
}

/** Emscripten's glue writes Error.stackTraceLimit; nothing else of Error may change or come, `prepareStackTrace` least of all. */
function freezeError(): void {
  Object.defineProperty(Error, "stackTraceLimit", {
    value: Error.stackTraceLimit ?? 10,
    writable: true,
    configurable: false,
  });
  for (const key of Reflect.ownKeys(Error)) {
    if (key === "stackTraceLimit") continue;
    const descriptor = Reflect.getOwnPropertyDescriptor(Error, key) as PropertyDescriptor;
    Object.defineProperty(Error, key, {
      configurable: false,
      ...("value" in descriptor ? { writable: false } : {}),
    });
  }
  Object.preventExtensions(Error);
}

/** Freezes everything reachable from the globals except what `keep` names. @returns how many objects were frozen. */
export function freezeIntrinsics(keep: readonly string[] = []): number {
  const global = globalThis as unknown as Record<string, unknown>;
  const seen = new Set<unknown>([globalThis]);
  const queue: unknown[] = hidden();
  for (const key of Reflect.ownKeys(global)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(global, key);
    if (descriptor && "value" in descriptor && !keep.includes(String(key))) queue.push(descriptor.value);
  }
  while (queue.length > 0) {
    const value = queue.pop();
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value))
      continue;
    seen.add(value);
    queue.push(Reflect.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
      if ("value" in descriptor) queue.push(descriptor.value);
      else queue.push(descriptor.get, descriptor.set);
    }
  }
  seen.delete(globalThis);
  const shadowed = new Set<unknown>(SHADOWED());
  for (const value of seen) {
    const object = value as object;
    if (ArrayBuffer.isView(object)) continue;
    if (object === Error) {
      freezeError();
      continue;
    }
    if (shadowed.has(object) || (object instanceof Error && Object.hasOwn(object, "constructor"))) {
      for (const key of Reflect.ownKeys(object)) {
        const descriptor = Reflect.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
        if (typeof key === "string" && descriptor.configurable && descriptor.writable)
          unshadow(object, key, descriptor);
      }
    }
    Object.freeze(object);
  }
  return seen.size;
}

import * as guest from "fuselet/udf";

const keysOf = (value: object) => Reflect.ownKeys(value).map(String);

/** Members that only hidden intrinsics have: they are no globals' own. */
function hidden(): Record<string, object> {
  const prototypeOf = (value: object) => Object.getPrototypeOf(value) as object;
  const iterators = { array: [], text: "", map: new Map(), set: new Set() };
  return {
    AsyncFunction: prototypeOf(async () => 0),
    GeneratorFunction: prototypeOf(function* () {}),
    Generator: prototypeOf(prototypeOf((function* () {})())),
    AsyncGeneratorFunction: prototypeOf(async function* () {}),
    AsyncGenerator: prototypeOf(prototypeOf((async function* () {})())),
    TypedArray: prototypeOf(Uint8Array),
    "TypedArray.prototype": prototypeOf(Uint8Array.prototype),
    ...Object.fromEntries(
      Object.entries(iterators).map(([name, value]) => [
        `${name} iterator`,
        prototypeOf((value as Iterable<unknown>)[Symbol.iterator]()),
      ]),
    ),
    function: () => 0,
    "sloppy function": Function("return function () {}")() as object,
    arguments: (function (..._: unknown[]) {
      return arguments;
    })(1),
    error: new Error("here"),
    "import.meta": import.meta,
    "fuselet/udf": guest,
  };
}

export default guest.udf({}, () => {
  const owners: Record<string, object> = { globalThis, ...hidden() };
  for (const name of Reflect.ownKeys(globalThis)) {
    const value = Reflect.get(globalThis, name) as { prototype?: object } | null;
    if (value === globalThis || value === null || !/^(object|function)$/.test(typeof value)) continue;
    owners[String(name)] = value;
    if (typeof value.prototype === "object") owners[`${String(name)}.prototype`] = value.prototype;
  }
  const said = Object.entries(owners).map(([name, value]) => [
    name,
    keysOf(value)
      .map((key) => key.replaceAll(" ", "_"))
      .sort()
      .join(" "),
  ]);
  return Object.fromEntries(said.filter(([, names]) => names !== ""));
});

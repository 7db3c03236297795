import { udf } from "fuselet/udf";

let variable = 0;
const world = globalThis as unknown as Record<string, unknown>;
const left = Symbol.for("left");

export default udf({}, () => {
  const traces: Record<string, boolean> = {
    global: world["left"] === 1,
    variable: variable === 1,
    "Object.prototype": Reflect.get({}, "left") === 1,
    "Array.prototype": Reflect.get([], "at") === Reflect.get([], "left at"),
    JSON: JSON.stringify("") === "left",
    Promise: Reflect.get(Promise.prototype, "left") === 1,
    "Math.random": Math.random() === 2,
    console: Reflect.get(console, "left") === 1,
    symbol: Reflect.get(globalThis, left) === 1,
    RegExp: Reflect.get(RegExp, "$1") === "left",
    frozen: Object.isFrozen(Map.prototype),
    "import.meta": Reflect.get(import.meta, "left") === 1,
    udf: Reflect.get(udf, "left") === 1,
  };
  const reached = Object.keys(traces).filter((name) => traces[name]);

  world["left"] = 1;
  variable = 1;
  Object.defineProperty(Object.prototype, "left", { value: 1, configurable: true });
  const at = () => 0;
  Object.defineProperty(Array.prototype, "at", { value: at, configurable: true });
  Object.defineProperty(Array.prototype, "left at", { value: at, configurable: true });
  Reflect.set(Promise.prototype, "left", 1);
  Math.random = () => 2;
  Reflect.set(console, "left", 1);
  Reflect.set(globalThis, left, 1);
  Object.freeze(Map.prototype);
  Reflect.set(import.meta, "left", 1);
  Reflect.set(udf, "left", 1);
  const { stringify } = JSON;
  JSON.stringify = (value: unknown) => (value === "" ? "left" : stringify(value));
  /(left)/.test("left");
  return reached;
});

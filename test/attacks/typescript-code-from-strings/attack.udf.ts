import { udf } from "fuselet/udf";

type Make = (text: string) => unknown;

export default udf({}, async () => {
  const reached: string[] = [];
  const look =
    "typeof process==='object'||typeof require==='function'||typeof document==='object'||typeof importScripts==='function'";
  const maker = (value: object): Make => (value as { constructor: Make }).constructor;
  const native = Map.prototype.get;
  const ways: Record<string, () => unknown> = {
    Function: () => (Function(`return ${look}`) as () => unknown)(),
    async: () => (maker(async () => 0)(`return ${look}`) as () => unknown)(),
    generator: () => (maker(function* () {})(`yield ${look}`) as () => Iterator<unknown>)().next().value,
    "async generator": async () =>
      (await (maker(async function* () {})(`yield ${look}`) as () => AsyncIterator<unknown>)().next()).value,
    bound: () => (maker(native.bind(new Map()))(`return ${look}`) as () => unknown)(),
    class: () => (maker(class {} as object)(`return ${look}`) as () => unknown)(),
    eval: () => (Reflect.get(globalThis, "eval") as Make)(look),
    arguments: () => (Function(`a=${look}`, "return a") as () => unknown)(),
    setTimeout: () =>
      new Promise((resolve) => {
        Object.assign(globalThis, { resolve });
        (setTimeout as (text: string, ms: number) => void)(`resolve(${look})`, 1);
        setTimeout(() => resolve(false), 20);
      }),
  };
  for (const [name, way] of Object.entries(ways)) {
    try {
      if ((await way()) === true) reached.push(name);
    } catch {}
  }
  return reached;
});

import { udf } from "fuselet/udf";

export default udf({}, () => {
  const reached = new Set<string>();
  const answer: string[] = [];
  const note = (name: string) => {
    if (reached.has(name)) return;
    reached.add(name);
    answer.push(name);
  };
  const proxy: object = new Proxy(answer, {
    get(target, key, receiver) {
      if (receiver !== proxy && receiver !== target) note("foreign receiver");
      // The reader's own frames lie below this one.
      const stack = String(new Error("here").stack);
      if (/file:|node:/.test(stack)) note("stack");
      return Reflect.get(target, key);
    },
    getPrototypeOf: () => Array.prototype,
    ownKeys: (target) => Reflect.ownKeys(target),
  });
  return proxy;
});

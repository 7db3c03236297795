/** Arguments that answer back: proxies, species, `then` and `toString`, handed to every loan. */
export default async ({ platform, host, foreign }) => {
  const reached = new Set();
  const note = (name, ...values) => {
    for (const value of values) if (foreign(value)) reached.add(name);
  };
  const trap = (name) =>
    new Proxy(() => {}, {
      get(_target, key, receiver) {
        note(`${name}: get`, receiver);
        if (key === Symbol.toPrimitive) return undefined;
        if (key === "length") return 4;
        return trap(`${name}.${String(key)}`);
      },
      apply(_target, self, args) {
        note(`${name}: call`, self, ...args, args);
        return 1;
      },
      construct(_target, args) {
        note(`${name}: new`, ...args, args);
        return {};
      },
      set(_target, _key, value) {
        note(`${name}: set`, value);
        return true;
      },
    });
  class Species extends Uint8Array {
    static get [Symbol.species]() {
      note("species", this);
      return Uint8Array;
    }
  }
  const calls = [
    () => platform.random(trap("random")),
    () => platform.random(new Species(8)),
    () => platform.bytes(trap("asset")),
    () => platform.library(trap("library")),
    () => setTimeout(trap("timer"), 0),
    () => setTimeout(() => {}, trap("delay")),
    () => clearTimeout(trap("clear")),
    () => crypto.getRandomValues(trap("values")),
    () => new TextDecoder().decode(new Species(4)),
    () => new TextEncoder().encode(trap("text")),
    () => host.output("stdout", new Species(0)),
  ];
  for (const call of calls) {
    try {
      note("answer", call());
    } catch (error) {
      note("error", error);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
  return [...reached];
};

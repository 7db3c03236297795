import { udf } from "fuselet/udf";

export default udf({}, () => {
  const reached: string[] = [];
  const dig = (name: string, value: unknown) => {
    try {
      const make = (value as { constructor: (text: string) => () => unknown }).constructor;
      if (make("return typeof process === 'object' || typeof importScripts === 'function'")())
        reached.push(name);
    } catch {}
  };
  return {
    // biome-ignore lint/suspicious/noThenProperty: that is the attack
    then(resolve: (value: unknown) => void, reject: unknown) {
      dig("resolve", resolve);
      dig("reject", reject);
      resolve({
        // biome-ignore lint/suspicious/noThenProperty: once more, when the first has been resolved
        then(again: (value: unknown) => void) {
          dig("again", again);
          again(reached);
          again(["twice"]);
        },
      });
      throw new Error("after it was resolved");
    },
  };
});

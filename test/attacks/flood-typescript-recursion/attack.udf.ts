import { udf } from "fuselet/udf";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

export default udf({}, () => {
  const loop: object = new Proxy({}, { get: (_target, key) => Reflect.get(loop, key) });
  const text = { toString: (): string => `${text}` };
  const ways = [
    () => Reflect.get(loop, "x"),
    () => String(text),
    () => JSON.parse(nested(100_000)),
    () => Function(`return ${nested(50_000)}`)(),
    () => new RegExp("(".repeat(50_000) + ")".repeat(50_000)),
    () =>
      [1, 2].sort(function again(): number {
        return [1, 2].sort(again).length;
      }),
  ];
  for (const way of ways) {
    try {
      way();
    } catch {}
  }
  const deeper = (n: number): number => deeper(n + 1) + 1;
  return deeper(0);
});

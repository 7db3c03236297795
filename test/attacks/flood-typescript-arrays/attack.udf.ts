import { udf } from "fuselet/udf";

export default udf({}, () => {
  const kept: unknown[] = [];
  for (;;) {
    try {
      kept.push(new Uint8Array(20_000_000).fill(1), new Array(100_000).fill(1.5));
    } catch {}
  }
});

import { udf } from "fuselet/udf";

export default udf({}, () => {
  for (;;) {
    try {
      for (;;);
    } catch {
    } finally {
      // biome-ignore lint/correctness/noUnsafeFinally: that is the attack
      continue;
    }
  }
});

import { udf } from "fuselet/udf";

export default udf({}, () => {
  for (;;) {
    try {
      for (let n = 3n; ; n *= n) String(n);
    } catch {}
  }
});

import { udf } from "fuselet/udf";

export default udf({}, () => {
  const kept: string[] = [];
  for (let i = 0; ; i++) {
    // Written out: a text that is only joined costs nothing yet.
    const text = Array.from({ length: 10_000 }, (_, n) => `${i}-${n}`).join();
    kept.push(text.toUpperCase(), [...text].reverse().join(""));
  }
});

import { host, udf } from "fuselet/udf";

/** The second run wants the same: those of the first must have been given back when it ended. */
export default udf({}, async () => {
  const request = {
    name: "a",
    folder: "tmp",
    storage: "auto",
    maxAgeMs: 1000,
    reset: false,
    lockTimeoutMs: 2000,
  };
  let begun = 0;
  for (let at = 0; at < 1100; at += 100) {
    const keys = Array.from({ length: 100 }, (_, i) => `${at + i}`.padStart(64, "0"));
    const calls = await Promise.allSettled(keys.map((key) => host.call("cache.begin", { ...request, key })));
    begun += calls.filter(({ status }) => status === "fulfilled").length;
    const failure = calls.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
    if (failure && !/at most 1000 results/.test(failure.reason.message)) return [failure.reason.message];
  }
  return begun === 1100 ? ["1100 at once"] : [];
});

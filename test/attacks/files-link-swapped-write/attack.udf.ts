import { host, udf } from "fuselet/udf";

/** Whether something went elsewhere is seen there: the canaries' folder has a file then, or lacks one. */
export default udf({}, async ({ granted }: { granted: string }) => {
  let written = 0;
  for (let i = 0; i < 60; i++) {
    const calls = Array.from({ length: 8 }, (_, k) => {
      const url = `${granted}/swapped/planted-${k}`;
      return host.call("storage.put", url, new Uint8Array(1)).then(() => written++);
    });
    calls.push(host.call("storage.delete", `${granted}/swapped/canary`).then(() => 0));
    calls.push(host.call("storage.delete", `${granted}/swapped/`).then(() => 0));
    await Promise.allSettled(calls);
  }
  return written === -1 ? ["nothing"] : [];
});

import { host, udf } from "fuselet/udf";

export default udf({}, async ({ granted }: { granted: string }) => {
  const reached: string[] = [];
  const { entries } = (await host.call("storage.list", `${granted}/`)) as { entries: { name: string }[] };
  if (entries.length > 2) reached.push(`left ${entries.map(({ name }) => name).join(", ")}`);
  let begun = 0;
  let reason = "";
  for (let i = 0; i < 100; i++) {
    await host.call("storage.openWrite", `${granted}/new-${i}`).then(
      async (upload) => {
        begun++;
        await host.call("storage.writePart", upload, new Uint8Array(100_000));
      },
      (error) => {
        reason = error.message;
      },
    );
  }
  if (begun === 100) reached.push("100 at once");
  else if (!/16 files at the same time/.test(reason)) reached.push(reason);
  return reached;
});

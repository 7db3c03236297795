import { host, udf } from "fuselet/udf";

export default udf({}, async ({ granted }: { granted: string }) => {
  const open = () =>
    host.call("storage.open", `${granted}/inside`).then(
      () => "",
      (error) => error.message as string,
    );
  const answers = await Promise.all(Array.from({ length: 1000 }, open));
  const failed = answers.filter((answer) => answer !== "");
  if (failed.length === 0) return ["1000 at once"];
  return failed.every((answer) => /may have 256 files/.test(answer)) ? [] : [failed[0]];
});

import { host, udf } from "fuselet/udf";

export default udf({}, async ({ server }: { server: string }) => {
  const body = new Uint8Array(10_000_000);
  const request = {
    url: `http://${server}/silent`,
    method: "POST",
    headers: [],
    body,
    redirect: "follow",
    timeoutMs: 4000,
  };
  const calls = Array.from({ length: 14 }, () =>
    host.call("net.fetch", request).then(
      () => "taken",
      (error) => error.message as string,
    ),
  );
  const answers = await Promise.all(calls);
  const refused = answers.filter((answer) => /bytes together/.test(answer)).length;
  return refused === 0 ? ["140 MB at once"] : [];
});

import { download, host, udf } from "fuselet/udf";

/** The server counts: somebody who follows 100 times follows for ever. */
export default udf({}, async ({ server }: { server: string }) => {
  const url = `http://${server}/loop?n=1`;
  const request = { url, method: "GET", headers: [], body: null, redirect: "follow" };
  const ways = [() => fetch(url), () => host.call("net.fetch", request), () => download(url, "loop")];
  const reached: string[] = [];
  for (const way of ways) {
    await way().then(
      () => reached.push("an end"),
      () => {},
    );
    const seen = await fetch(`http://${server}/seen`).then((answer) => answer.json());
    if ((seen as { line: string }[]).some(({ line }) => line.includes("n=100 ")))
      reached.push("longer than any");
  }
  return reached;
});

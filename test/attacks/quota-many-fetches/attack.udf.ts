import { host, udf } from "fuselet/udf";

export default udf({}, async ({ server }: { server: string }) => {
  const reached: string[] = [];
  const request = {
    url: `http://${server}/silent`,
    method: "GET",
    headers: [],
    body: null,
    redirect: "follow",
  };
  const calls = Array.from({ length: 250 }, (_, i) =>
    // The first hold all places for longer than the others wait.
    host.call("net.fetch", { ...request, url: `${request.url}?${i}`, timeoutMs: i < 32 ? 4000 : 1000 }).then(
      () => "",
      (error) => error.message as string,
    ),
  );
  const reasons = await Promise.all(calls);
  const most = Number(await fetch(`http://${server}/most`).then((answer) => answer.text()));
  if (most >= 200) reached.push("200 at once");
  if (most < 200 && !reasons.some((reason) => /waited \d+ ms for answers/.test(reason)))
    reached.push("no reason");
  return reached;
});

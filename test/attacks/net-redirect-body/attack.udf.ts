import { host, udf } from "fuselet/udf";

export default udf({}, async ({ server, other }: { server: string; other: string }) => {
  const body = new TextEncoder().encode("canary");
  const reached: string[] = [];
  for (const status of [301, 302, 303, 307, 308]) {
    const to = encodeURIComponent(`http://${other}/got?${status}`);
    const url = `http://${server}/redirect?status=${status}&to=${to}`;
    const request = { url, method: "POST", headers: [], body, redirect: "follow" };
    const answer = await host.call("net.fetch", request).catch(() => null);
    await fetch(url, { method: "POST", body }).catch(() => null);
    if (answer && (status === 307 || status === 308)) reached.push(String(status));
  }
  return reached;
});

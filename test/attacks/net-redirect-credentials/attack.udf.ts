import { host, udf } from "fuselet/udf";

const CREDENTIALS = ["authorization", "cookie", "cookie2"];

/** Both servers are granted; what was meant for the first is not meant for the second. */
export default udf({}, async ({ server, other }: { server: string; other: string }) => {
  const reached: string[] = [];
  const headers = [
    ...["Authorization", "Cookie", "cookie2", "AUTHORIZATION"].map((name) => [name, "canary"]),
    ["x-harmless", "yes"],
  ];
  for (const status of [301, 302, 303, 307, 308]) {
    const url = `http://${server}/redirect?status=${status}&to=${encodeURIComponent(`http://${other}/got`)}`;
    const request = { url, method: "GET", headers, body: null, redirect: "follow" };
    await host.call("net.fetch", request).catch(() => null);
    await fetch(url, { headers: headers as [string, string][] }).catch(() => null);
  }
  // The control's careless client sends even this.
  const url = `http://${server}/redirect?to=${encodeURIComponent(`http://${other}/got`)}`;
  const proxied = [["Proxy-Authorization", "canary"]];
  const request = { url, method: "GET", headers: proxied, body: null, redirect: "follow" };
  await host.call("net.fetch", request).catch(() => null);
  const seen = await fetch(`http://${other}/seen`).then((answer) => answer.json());
  if (!(seen as unknown[]).length) reached.push("nothing at all");
  for (const { headers: lines } of seen as { headers: string[] }[]) {
    for (const name of [...CREDENTIALS, "proxy-authorization"]) {
      const sent = lines.some((line) => line.toLowerCase().startsWith(`${name}:`));
      if (sent && !reached.includes(name)) reached.push(name);
    }
  }
  return reached;
});

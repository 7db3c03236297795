import { host, udf } from "fuselet/udf";

const HEADERS: Record<string, [string, string][]> = {
  host: [["Host", "127.0.0.1:1"]],
  "host of another": [["host", "internal.test"]],
  "content-length": [["Content-Length", "0"]],
  "content-length twice": [
    ["Content-Length", "6"],
    ["content-length", "0"],
  ],
  "content-length with a sign": [["Content-Length", "+6"]],
  "content-length with a list": [["Content-Length", "6, 6"]],
  "transfer-encoding": [["Transfer-Encoding", "chunked"]],
  both: [
    ["Transfer-Encoding", "chunked"],
    ["Content-Length", "6"],
  ],
  "transfer-encoding that is none": [["Transfer-Encoding", "xchunked"]],
  connection: [["Connection", "x-forwarded-for"]],
  expect: [["Expect", "100-continue"]],
  upgrade: [["Upgrade", "h2c"]],
  "proxy-authorization": [["Proxy-Authorization", "Basic eDp5"]],
  "proxy-connection": [["Proxy-Connection", "keep-alive"]],
  te: [["TE", "trailers"]],
  trailer: [["Trailer", "host"]],
};

const OWN =
  /^(host: internal|host: 127\.0\.0\.1:1$|content-length: (?!6$)|transfer-encoding|connection: x|expect|upgrade|proxy-|te:|trailer)/i;

export default udf({}, async ({ server }: { server: string }) => {
  const body = new TextEncoder().encode("hello!");
  const reached: string[] = [];
  let before = 0;
  for (const [name, headers] of Object.entries(HEADERS)) {
    const url = `http://${server}/${encodeURIComponent(name)}`;
    await host
      .call("net.fetch", { url, method: "POST", headers, body, redirect: "manual", timeoutMs: 1000 })
      .catch(() => null);
    const seen = (await fetch(`http://${server}/seen`).then((answer) => answer.json())) as {
      headers: string[];
    }[];
    const fresh = seen.slice(before).flatMap(({ headers: lines }) => lines);
    before = seen.length;
    const lengths = fresh.filter((line) => /^content-length:/i.test(line)).length;
    if (fresh.some((line) => OWN.test(line)) || lengths > 1) reached.push(name);
  }
  return reached;
});

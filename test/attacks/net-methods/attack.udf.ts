import { host, udf } from "fuselet/udf";

const NEXT = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";

const REQUESTS: Record<string, { method: string; body?: string; headers?: [string, string][] }> = {
  CONNECT: { method: "CONNECT" },
  connect: { method: "connect" },
  TRACE: { method: "TRACE" },
  TRACK: { method: "TRACK" },
  "body of GET": { method: "GET", body: NEXT, headers: [["content-length", "0"]] },
  "body of HEAD": { method: "HEAD", body: NEXT, headers: [["content-length", "0"]] },
  "body of get": { method: "get", body: NEXT },
  "longer than a method": { method: "A".repeat(5000) },
};

export default udf({}, async ({ server }: { server: string }) => {
  const reached: string[] = [];
  let before = 0;
  for (const [name, { method, body, headers = [] }] of Object.entries(REQUESTS)) {
    const bytes = body === undefined ? null : new TextEncoder().encode(body);
    const request = {
      url: `http://${server}/`,
      method,
      headers,
      body: bytes,
      redirect: "manual",
      timeoutMs: 1000,
    };
    await host.call("net.fetch", request).catch(() => null);
    const seen = (await fetch(`http://${server}/seen`).then((answer) => answer.json())) as { line: string }[];
    if (seen.length > before) reached.push(name);
    before = seen.length;
  }
  return reached;
});

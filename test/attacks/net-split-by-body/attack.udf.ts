import { host, udf } from "fuselet/udf";

const NEXT = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";

export default udf({}, async ({ server }: { server: string }) => {
  const reached: string[] = [];
  let before = 0;
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "X-OWN"]) {
    // A careless client believes the length.
    for (const headers of [
      [],
      [["content-length", "0"]],
      [["content-type", "multipart/form-data; boundary=\r"]],
    ]) {
      const body = new TextEncoder().encode(NEXT);
      const request = {
        url: `http://${server}/`,
        method,
        headers,
        body,
        redirect: "manual",
        timeoutMs: 1000,
      };
      await host.call("net.fetch", request).catch(() => null);
    }
    const seen = (await fetch(`http://${server}/seen`).then((answer) => answer.json())) as { line: string }[];
    const smuggled = seen.filter(({ line }) => line.startsWith("GET /smuggled")).length;
    if (smuggled > before) reached.push(method);
    before = smuggled;
  }
  return reached;
});

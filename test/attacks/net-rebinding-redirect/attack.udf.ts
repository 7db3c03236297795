import { host, udf } from "fuselet/udf";

/** The server itself is granted by its address, and so is the name; what the name means is not. */
export default udf({}, async ({ port, server }: { port: number; server: string }) => {
  const own = server.split(":")[1];
  const targets = {
    "the same name": `http://granted.test:${port}/`,
    "another name": `http://gone.test:${port}/`,
    "another port": `//127.0.0.1:${port}/`,
  };
  const reached: string[] = [];
  for (const [name, to] of Object.entries(targets)) {
    for (const start of [`http://${server}`, `http://granted.test:${own}`]) {
      const url = `${start}/redirect?to=${encodeURIComponent(to)}`;
      const request = { url, method: "GET", headers: [], body: null, redirect: "follow", timeoutMs: 1000 };
      const answer = await host.call("net.fetch", request).catch(() => null);
      const body = (answer as { body: Uint8Array } | null)?.body;
      if (body && new TextDecoder().decode(body) === "canary" && !reached.includes(name)) reached.push(name);
    }
  }
  return reached;
});

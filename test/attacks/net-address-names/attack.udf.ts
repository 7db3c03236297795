import { host, udf } from "fuselet/udf";

const NAMES = {
  localhost: "localhost",
  "upper case": "LOCALHOST",
  "trailing dot": "localhost.",
  below: "a.localhost",
  "full-width": "\uff4cocalhost",
  encoded: "loc%61lhost",
  "long s": "localho\u017ft",
};

export default udf({}, async ({ port }: { port: number }) => {
  const reached: string[] = [];
  for (const [name, spelling] of Object.entries(NAMES)) {
    const url = `http://${spelling}:${port}/`;
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow", timeoutMs: 1000 };
    const answer = await host.call("net.fetch", request).catch(() => null);
    const body = (answer as { body: Uint8Array } | null)?.body;
    if (body && new TextDecoder().decode(body) === "canary") reached.push(name);
  }
  return reached;
});

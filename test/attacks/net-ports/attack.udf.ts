import { host, udf } from "fuselet/udf";

const ports = (port: number, allowed: string) => ({
  plain: `${port}`,
  zeros: `000000${port}`,
  tab: `${port}\t`,
  "beyond 65535": `${port + 65_536}`,
  "beyond 32 bits": `${port + 2 ** 32}`,
  full: `${port}`.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  negative: `-${65_536 - port}`,
  two: `${allowed}:${port}`,
  "and a name": `${allowed}@127.0.0.1:${port}`,
  fraction: `${port}.0`,
  hexadecimal: `0x${port.toString(16)}`,
});

export default udf({}, async ({ port, server }: { port: number; server: string }) => {
  const reached: string[] = [];
  for (const [name, written] of Object.entries(ports(port, server.split(":")[1] as string))) {
    const url = `http://127.0.0.1:${written}/`;
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow" };
    const answer = await host.call("net.fetch", request).catch(() => null);
    if (answer && new TextDecoder().decode((answer as { body: Uint8Array }).body) === "canary")
      reached.push(name);
  }
  return reached;
});

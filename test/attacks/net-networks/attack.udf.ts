import { host, udf } from "fuselet/udf";

const ADDRESSES = {
  before: "127.7.255.255",
  after: "127.8.0.4",
  "two after": "127.8.0.8",
  "the half below": "127.9.0.127",
  "the next": "127.9.1.0",
  mapped: "[::ffff:127.8.0.4]",
  hexadecimal: "0x7f080004",
  "IPv6 before": "[fd00:0:ffff:ffff:ffff:ffff:ffff:ffff]",
  "IPv6 after": "[fd00:1:0:1::]",
  far: "[fd00:2::1]",
  "another IPv4": "127.10.0.1",
};

/** Nobody is there: anything but a denial says that somebody was called. */
export default udf({}, async ({ port }: { port: number }) => {
  const reached: string[] = [];
  for (const [name, address] of Object.entries(ADDRESSES)) {
    const url = `http://${address}:${port}/`;
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow", timeoutMs: 100 };
    await host.call("net.fetch", request).catch((error) => {
      if (error.name !== "PermissionDeniedError") reached.push(name);
    });
  }
  return reached;
});

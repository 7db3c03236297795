import { host, udf } from "fuselet/udf";

const FORMS = {
  loopback: "[::1]",
  mapped: "[::ffff:127.0.0.1]",
  "mapped in words": "[::ffff:7f00:1]",
  compatible: "[::127.0.0.1]",
  NAT64: "[64:ff9b::7f00:1]",
  "6to4": "[2002:7f00:1::]",
  "Teredo client": "[2001:0:102:304::80ff:fffe]",
  "0.0.0.0": "0.0.0.0",
  "0": "0",
  unspecified: "[::]",
};

/** Anything but a denial is one step too far: somebody has been called. */
export default udf({}, async ({ port }: { port: number }) => {
  const reached: string[] = [];
  for (const [name, address] of Object.entries(FORMS)) {
    const url = `http://${address}:${port}/`;
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow", timeoutMs: 100 };
    await host.call("net.fetch", request).then(
      () => reached.push(name),
      (error) => error.name !== "PermissionDeniedError" && reached.push(name),
    );
  }
  return reached;
});

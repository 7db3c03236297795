import { host, udf } from "fuselet/udf";

const FORMS = {
  loopback: "::1",
  mapped: "::ffff:127.0.0.1",
  "mapped in words": "::ffff:7f00:1",
  "written out": "0:0:0:0:0:ffff:7f00:0001",
  compatible: "::127.0.0.1",
  NAT64: "64:ff9b::7f00:1",
  "local NAT64": "64:ff9b:1::7f00:1",
  "6to4": "2002:7f00:1::",
  "Teredo server": "2001:0:7f00:1::",
  "Teredo client": "2001:0:102:304::80ff:fffe",
  translated: "::ffff:0:7f00:1",
  unspecified: "::",
  "link-local": "fe80::1",
  "unique local": "fd00::1",
  metadata: "fd00:ec2::254",
  multicast: "ff02::1",
  zone: "fe80::1%25lo",
  "bare zone": "::1%lo",
};

/** Anything but a denial, or a URL that is none, is one step too far: somebody has been called. */
export default udf({}, async ({ port }: { port: number }) => {
  const reached: string[] = [];
  for (const [name, address] of Object.entries(FORMS)) {
    const url = `http://[${address}]:${port}/`;
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow", timeoutMs: 100 };
    await host.call("net.fetch", request).then(
      () => reached.push(name),
      (error) => {
        if (error.name !== "PermissionDeniedError" && !/no URL/.test(error.message)) reached.push(name);
      },
    );
  }
  return reached;
});

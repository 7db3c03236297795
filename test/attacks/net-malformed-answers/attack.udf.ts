import { host, udf } from "fuselet/udf";

const PATHS = [
  ...[
    "huge-length",
    "two-lengths",
    "negative-length",
    "bad-chunk",
    "huge-chunk",
    "length-and-chunks",
    "not-http",
  ],
  ...["bad-gzip", "many-codings", "endless-headers", "endless-header"],
];

export default udf({}, async ({ server }: { server: string }) => {
  const reached: string[] = [];
  for (const path of PATHS) {
    const url = `http://${server}/${path}`;
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow", timeoutMs: 3000 };
    const ways = [
      () => host.call("net.fetch", request).then((answer) => readAll(answer as { handle: number | null })),
      () => fetch(url).then((answer) => answer.text()),
    ];
    for (const way of ways) {
      await way().then(
        () => reached.includes(path) || reached.push(path),
        () => {},
      );
    }
  }
  return reached;
});

async function readAll({ handle }: { handle: number | null }) {
  while (handle !== null && (await host.call("net.read", handle)) !== null);
}

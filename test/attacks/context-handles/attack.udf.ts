import { host, udf } from "fuselet/udf";

export default udf({}, async (parameters: { who: string; granted: string; server: string }) => {
  const { who, granted, server } = parameters;
  const reached: string[] = [];
  if (who === "victim") {
    // Everything is left open.
    const url = `http://${server}/endless-body`;
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow" };
    await host.call("net.fetch", request).catch(() => {});
    await host.call("storage.open", `${granted}/inside`);
    await host.call("storage.openWrite", `${granted}/new`).catch(() => {});
    return reached;
  }
  const numbers = [
    ...Array.from({ length: 8 }, (_, i) => i),
    -1,
    0.5,
    2 ** 31,
    2 ** 53,
    "0",
    "1",
    null,
    [1],
    { valueOf: 1 },
  ];
  for (const number of numbers) {
    const calls = {
      "an answer": () => host.call("net.read", number).then((bytes) => bytes !== null || Promise.reject()),
      "a file": () => host.call("files.read", number, 0, 10),
      "an upload": () => host.call("storage.writePart", number, new Uint8Array(1)),
      "an upload's end": () => host.call("storage.commitWrite", number),
      "a result": () => host.call("cache.commit", number, { format: "bytes", body: new Uint8Array(1) }),
    };
    for (const [name, call] of Object.entries(calls)) {
      await call().then(
        () => reached.includes(name) || reached.push(name),
        () => {},
      );
    }
  }
  return reached;
});

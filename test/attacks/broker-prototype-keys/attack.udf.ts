import { host, udf } from "fuselet/udf";

const request = (url: string) => ({ url, method: "GET", headers: [], body: null, redirect: "follow" });

export default udf({}, async ({ port, server }: { port: number; server: string }) => {
  const reached: string[] = [];
  const canary = `http://127.0.0.1:${port}/`;
  const own = `http://${server}/hello`;
  const inherits = (fields: object) => JSON.parse(`{"__proto__":${JSON.stringify(fields)}}`);
  const requests: Record<string, unknown> = {
    "a URL by prototype": inherits(request(canary)),
    "two URLs": JSON.parse(
      `{"url":"${own}","url":"${canary}","method":"GET","headers":[],"body":null,"redirect":"follow"}`,
    ),
    "a URL and another by prototype": { ...request(own), ...inherits(request(canary)) },
    "a constructor": { ...request(own), constructor: { prototype: { url: canary } } },
    "headers by prototype": { ...request(own), headers: inherits({ length: 1, 0: ["x-a", "b"] }) },
  };
  for (const [name, value] of Object.entries(requests)) {
    const answer = await host.call("net.fetch", value).catch(() => null);
    const body = (answer as { body?: Uint8Array } | null)?.body;
    if (body && new TextDecoder().decode(body) === "canary") reached.push(name);
    await host.call("storage.list", "fd://", value).catch(() => {});
    await host.call("cache.begin", value).catch(() => {});
    await host.call("careless.merge", value, inherits({ polluted: "yes" })).catch(() => {});
  }
  const polluting = JSON.parse(
    '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}',
  );
  for (const name of [
    "net.fetch",
    "storage.list",
    "cache.begin",
    "download.get",
    "context.get",
    "careless.merge",
  ])
    await host.call(name, polluting, polluting).catch(() => {});
  // What the host answers with next is made of objects of its own.
  if (await host.call("careless.isPolluted").catch(() => false)) reached.push("polluted");
  return reached;
});

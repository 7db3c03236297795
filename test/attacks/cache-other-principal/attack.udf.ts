import { host, udf } from "fuselet/udf";

const begin = (key: string, more = {}) =>
  host.call("cache.begin", {
    key: key.padStart(64, "0"),
    name: "attack",
    folder: "tmp",
    storage: "auto",
    maxAgeMs: 3_600_000,
    reset: false,
    lockTimeoutMs: 100,
    ...more,
  }) as Promise<{ state: string; lease: number; format: string; body: Uint8Array }>;

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);

export default udf({}, async ({ who }: { who: string }) => {
  const reached: string[] = [];
  const found = await begin("1");
  if (found.state === "hit" && text(found.body) !== who) reached.push(`the result of ${text(found.body)}`);
  if (found.state === "compute")
    await host.call("cache.commit", found.lease, { format: "bytes", body: bytes(who) });
  return reached;
});

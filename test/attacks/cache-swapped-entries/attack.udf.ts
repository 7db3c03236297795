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

/** A small body lies in the record, a large one in a file. */
const KINDS = { small: 10, large: 100_000 };

export default udf({}, async ({ who }: { who: string }) => {
  const reached: string[] = [];
  for (const [kind, size] of Object.entries(KINDS)) {
    const found = await begin(`${who.length}${size}`);
    const writer = found.state === "hit" ? text(found.body).trim() : who;
    if (writer !== who) reached.push(`${kind} of ${writer}`);
    if (found.state === "compute")
      await host.call("cache.commit", found.lease, { format: "bytes", body: bytes(who.padEnd(size)) });
  }
  return reached;
});

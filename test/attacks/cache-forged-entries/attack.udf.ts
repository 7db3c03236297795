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

export default udf({}, async () => {
  const reached: string[] = [];
  for (const [key, size] of [
    ["a", 10],
    ["b", 100_000],
  ] as const) {
    const found = await begin(key);
    if (found.state === "hit" && text(found.body).trim() !== "own") reached.push("a forged body");
    if (found.state === "hit" && found.format !== "bytes") reached.push(`the format ${found.format}`);
    // Older than the caller wants: a forged date makes it young.
    const old = await begin(`${key}0`, { maxAgeMs: 1 });
    if (old.state === "hit") reached.push("a forged date");
    for (const { state, lease } of [found, old]) {
      const result = { format: "bytes", body: bytes("own".padEnd(size)) };
      if (state === "compute") await host.call("cache.commit", lease, result);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return reached;
});

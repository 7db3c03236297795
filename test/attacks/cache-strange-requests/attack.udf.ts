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

const REQUESTS: Record<string, object> = {
  "key __proto__": { key: "__proto__" },
  "key constructor": { key: "constructor" },
  "key with a path": { key: "../../results/key" },
  "key with a slash": { key: `${"0".repeat(62)}/a` },
  "key in capitals": { key: "A".repeat(64) },
  "key with a line break": { key: `${"0".repeat(64)}\n` },
  "long key": { key: "0".repeat(1_000_000) },
  "a list as a key": { key: ["0".repeat(64)] },
  "folder ..": { folder: "../.." },
  "folder with dots inside": { folder: "a/../../b" },
  "absolute folder": { folder: "/tmp" },
  "folder with a backslash": { folder: "a\\..\\b" },
  "a drive as a folder": { folder: "c:a" },
  "folder with a control character": { folder: "a\u0000b" },
  "long folder": { folder: "a/".repeat(500) + "a" },
  "long name": { name: "x".repeat(100_000) },
  "endless age": { maxAgeMs: 1e300 },
  "age that is none": { maxAgeMs: "1" },
  "negative wait": { lockTimeoutMs: -1 },
  "another principal": { principal: "victim" },
  "a prefix": { prefix: "" },
  "another storage": { storage: "/etc" },
};

export default udf({}, async ({ who }: { who: string }) => {
  const reached: string[] = [];
  if (who === "uses it") {
    for (const lease of [0, 1, 2, -1, 1.5, "1", [1], null, 2 ** 53]) {
      const kept = host.call("cache.commit", lease, { format: "bytes", body: bytes("planted") });
      if (
        await kept.then(
          () => true,
          () => false,
        )
      )
        reached.push("a lease of another run");
    }
    return reached;
  }
  for (const [name, more] of Object.entries(REQUESTS)) {
    const found = await begin("c", more).catch(() => null);
    if (found) reached.push(name);
  }
  const { lease } = await begin("d");
  for (const result of [
    { format: "exe", body: bytes("x") },
    { format: "__proto__", body: bytes("x") },
    { format: "json", body: "text" },
  ]) {
    await host.call("cache.commit", lease, result).then(
      () => reached.push(`format ${result.format}`),
      () => {},
    );
  }
  return reached;
});

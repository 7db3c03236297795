/** The results that the tests of the cache keep, in processes and in pages: whether one is whole shows in it. */
import type { CacheRequest } from "../../host/cache/cache.ts";

export const EVICT_BYTES = 400_000;

export const requestOf = (key: string): CacheRequest => ({
  key,
  maxAgeMs: 60 * 60 * 1000,
  lockTimeoutMs: 20_000,
  labels: { name: "f", udf: "u", principal: "p", folder: "" },
});

/** Sizes on both sides of what fits into a record. */
export const sizeOf = (n: number): number => [30, 5000, 16_384, 16_385, 60_000][n % 5] as number;

/** The n-th result of a key: its first line names both, and each byte behind it depends on n. */
export function expectedBody(key: string, n: number, size: number): Uint8Array {
  const body = new Uint8Array(size).fill(n % 251);
  body.set(new TextEncoder().encode(`${key} ${n}\n`));
  return body;
}

/** Which result of the key it is. @throws Error where it is none, or not whole */
export function numberOf(key: string, body: Uint8Array): number {
  const [line = ""] = new TextDecoder("latin1").decode(body.subarray(0, 30)).split("\n");
  const n = Number(line.slice(key.length + 1));
  const expected = line.startsWith(`${key} `) ? expectedBody(key, n, body.length) : undefined;
  if (!expected?.every((byte, i) => byte === body[i]))
    throw new Error(`no whole result of ${key}: ${JSON.stringify(line)}, ${body.length} bytes`);
  return n;
}

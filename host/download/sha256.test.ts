import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { Sha256 } from "./sha256.ts";

const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7 + (i >> 8)) % 256);

test.each([0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 100_000])("of %i bytes", (length) => {
  const expected = createHash("sha256").update(bytes.subarray(0, length)).digest("hex");
  for (const step of [1, 63, 64, 100, 100_000]) {
    const hash = new Sha256();
    for (let at = 0; at < length; at += step) hash.update(bytes.subarray(at, Math.min(at + step, length)));
    expect(hash.digest()).toBe(expected);
  }
});

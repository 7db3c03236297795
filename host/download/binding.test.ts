import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { RunFiles } from "../files/files.ts";
import type { Call } from "../host.ts";
import { downloadBinding } from "./binding.ts";
import type { DownloadOptions } from "./download.ts";
import { sha256OfParts } from "./sha256.ts";

const BYTES = Uint8Array.from({ length: 5_000_000 }, (_, i) => i % 251);
const SHA = createHash("sha256").update(BYTES).digest("hex");

/** Nothing is fetched: what is asked for lies in the storage. */
function open() {
  const files = new RunFiles();
  const call = { signal: new AbortController().signal, taken: () => Promise.resolve() } as Call;
  const opened: string[] = [];
  const binding = downloadBinding({ sha256: sha256OfParts } as DownloadOptions, files, async (url, call) => {
    opened.push(url);
    const read = async (position: number, length: number) => BYTES.slice(position, position + length);
    return {
      file: await files.add({ size: BYTES.length, read, close: async () => {} }, call),
      size: BYTES.length,
    };
  });
  return { opened, files, call, get: (request: object) => binding.get?.([{ path: "a", ...request }], call) };
}

test.each(["fd://a/b", "s3://bucket/key", "gs://bucket/key", "file:///data/a"])(
  "%s is opened where it lies, in the spelling that the storage gets",
  async (url) => {
    const { get, opened } = open();
    expect(await get({ url })).toEqual({ file: 1, size: BYTES.length });
    expect(opened).toEqual([url]);
  },
);

test("a checksum is held to, and another file is closed again", async () => {
  const { get, files, call } = open();
  expect(await get({ url: "fd://a", sha256: SHA })).toEqual({ file: 1, size: BYTES.length });
  await expect(get({ url: "fd://a", sha256: "0".repeat(64) })).rejects.toThrow(`its SHA-256 is ${SHA}`);
  await expect(files.binding.read?.([2, 0, 1], call)).rejects.toThrow("has closed it");
});

test.each(["ftp://example.org/a", "FD://a", "javascript:1", ""])(
  "%j is no URL for a download",
  async (url) => {
    const { get, opened } = open();
    await expect(get({ url })).rejects.toThrow();
    expect(opened).toEqual([]);
  },
);

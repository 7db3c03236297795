import { expect, test } from "vitest";
import type { Call } from "../host.ts";
import { RunFiles, type StoredFile } from "./files.ts";

const callOf = (signal: AbortSignal) => ({ signal, taken: () => Promise.resolve() }) as Call;

function stored(bytes: Uint8Array): StoredFile & { closed: boolean } {
  return {
    closed: false,
    size: bytes.length,
    read: async (position, length) => bytes.slice(position, position + length),
    async close() {
      this.closed = true;
    },
  };
}

test("a run reads the files that it has opened, and no others", async () => {
  const files = new RunFiles();
  const [one, other] = [callOf(new AbortController().signal), callOf(new AbortController().signal)];
  const number = await files.add(stored(Uint8Array.of(1, 2, 3, 4)), one);
  const read = files.binding.read as NonNullable<typeof files.binding.read>;
  expect(await read([number, 1, 2], one)).toEqual(Uint8Array.of(2, 3));
  expect(await read([number, 3, 9], one)).toEqual(Uint8Array.of(4));
  await expect(read([number, 0, 1], other)).rejects.toThrow("this run has not opened it");
  for (const bad of ["1", 2, -1, 0.5, null, "constructor", "length"]) {
    await expect(read([bad, 0, 1], one)).rejects.toThrow("has not opened it");
  }
});

test.each([
  [-1, 1],
  [0, -1],
  [0.5, 1],
  [Number.NaN, 1],
  ["1", 1],
  [0, 2 ** 53],
  [0, 4 * 1024 * 1024 + 1],
])("reading from %j, %j bytes, is refused", async (position, length) => {
  const files = new RunFiles();
  const call = callOf(new AbortController().signal);
  const number = await files.add(stored(new Uint8Array(10)), call);
  await expect(files.binding.read?.([number, position, length], call)).rejects.toThrow(/Cannot read/);
});

test("a file that is closed makes room for another, under another number", async () => {
  const files = new RunFiles();
  const call = callOf(new AbortController().signal);
  const close = files.binding.close as NonNullable<typeof files.binding.close>;
  const numbers = new Set<number>();
  for (let i = 0; i < 300; i++) {
    const file = stored(Uint8Array.of(i));
    const number = await files.add(file, call);
    numbers.add(number);
    await close([number], call);
    expect(file.closed).toBe(true);
    await expect(files.binding.read?.([number, 0, 1], call)).rejects.toThrow("or has closed it");
    await expect(close([number], call)).rejects.toThrow("Cannot close file");
  }
  expect(numbers.size).toBe(300);
});

test("files are closed when the run ends, and their number is bounded", async () => {
  const files = new RunFiles();
  const controller = new AbortController();
  const call = callOf(controller.signal);
  const all = Array.from({ length: 256 }, () => stored(new Uint8Array(1)));
  for (const file of all) await files.add(file, call);
  const one = stored(new Uint8Array(1));
  await expect(files.add(one, call)).rejects.toThrow("256 files");
  expect(one.closed).toBe(true);
  controller.abort();
  expect(all.every(({ closed }) => closed)).toBe(true);
  await expect(files.binding.read?.([0, 0, 1], call)).rejects.toThrow("has not opened it");
});

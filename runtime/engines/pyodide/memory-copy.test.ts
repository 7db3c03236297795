import { randomFillSync } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";

import { PAGE, watchPages } from "./changed-pages.ts";
import { copyMemory } from "./memory-copy.ts";

const MIB = 1024 * 1024;
const random = (into: Uint8Array) => void randomFillSync(into);

/** A memory of 2 MiB: random numbers, with a hole of zeros, and nothing above its first half. */
function filledMemory() {
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 128 });
  const bytes = new Uint8Array(memory.buffer);
  randomFillSync(bytes, 0, MIB);
  bytes.fill(0, 300_000, 700_000);
  return { memory, was: bytes.slice(), now: () => new Uint8Array(memory.buffer) };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each([true, false])("where WebAssembly has a second memory: %s", (second) => {
  const copyOf = ({ memory }: ReturnType<typeof filledMemory>) => {
    if (!second) vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    return copyMemory(memory, MIB, random);
  };

  test("all that runs wrote is put back, run after run", () => {
    const filled = filledMemory();
    const copy = copyOf(filled);
    for (let run = 0; run < 5; run++) {
      const now = filled.now();
      for (let i = 0; i < 500; i++) now[Math.floor(Math.random() * now.length)] = i;
      now.fill(7, 299_990, 300_010);
      now.fill(9, now.length - 5);
      copy.putBack();
      expect(Buffer.compare(filled.now(), filled.was), `after run ${run}`).toBe(0);
    }
  });

  test("memory that grew is empty again", () => {
    const filled = filledMemory();
    const copy = copyOf(filled);
    copy.putBack();
    for (const pages of [3, 1]) {
      filled.memory.grow(pages);
      filled.now().fill(1, filled.was.length - 100);
      copy.putBack();
      expect(filled.now().subarray(0, filled.was.length)).toEqual(filled.was);
      expect(
        filled
          .now()
          .subarray(filled.was.length)
          .every((byte) => byte === 0),
      ).toBe(true);
    }
  });

  test.each(["before", "after"])("a new state, %s the first time that memory was put back", (moment) => {
    const filled = filledMemory();
    const copy = copyOf(filled);
    if (moment === "after") copy.putBack();
    filled.memory.grow(2);
    filled.now().fill(0, 10_000, 200_000);
    filled.now().fill(5, 500_000, 500_001);
    randomFillSync(filled.now(), 2 * MIB, 1000);
    const updated = filled.now().slice();
    copy.update(2 * MIB + 1000);
    for (let run = 0; run < 2; run++) {
      randomFillSync(filled.now(), 400_000, MIB);
      copy.putBack();
      expect(Buffer.compare(filled.now(), updated), `after run ${run}`).toBe(0);
    }
  });
});

test("a page is found by any one bit, by an exchange of words, and by equal changes in two places", () => {
  const { memory, now } = filledMemory();
  const watch = watchPages(memory, random);
  if (!watch) throw new Error("this Node has no second memory");
  const pages = now().length / PAGE;
  watch.note(0, pages);
  expect([...watch.find(pages)]).toEqual([]);
  const words = new Uint32Array(memory.buffer);
  const page = 3;
  const first = (page * PAGE) / 4;
  const found = () => [...watch.find(pages)];
  for (let word = first; word < first + PAGE / 4; word++) {
    const was = words[word] as number;
    for (const bit of [0, 1, 15, 31]) {
      words[word] = was ^ (1 << bit);
      expect(found(), `bit ${bit} of word ${word - first}`).toEqual([page]);
    }
    words[word] = was;
  }
  const kept = words.slice(first, first + PAGE / 4);
  for (const distance of [1, 2, 4, 8, 16, 32, 64, 512]) {
    [words[first], words[first + distance]] = [words[first + distance] as number, words[first] as number];
    expect(found(), `words ${distance} apart exchanged`).toEqual([page]);
    words.set(kept, first);
    for (const [one, other] of [
      [1, -1],
      [1, 1],
      [1 << 31, 1 << 31],
    ] as const) {
      words[first] = (words[first] as number) + one;
      words[first + distance] = (words[first + distance] as number) + other;
      expect(found(), `${one} and ${other} added, ${distance} words apart`).toEqual([page]);
      words.set(kept, first);
    }
  }
  expect(found()).toEqual([]);
});

test("pages are told by their numbers, over many chunks", () => {
  const { memory, now } = filledMemory();
  const watch = watchPages(memory, random);
  watch?.note(0, now().length / PAGE);
  const changed = [0, 1, 17, 100, 511];
  for (const page of changed) now()[page * PAGE + page] = (now()[page * PAGE + page] as number) ^ 1;
  expect([...(watch?.find(now().length / PAGE) ?? [])]).toEqual(changed);
});

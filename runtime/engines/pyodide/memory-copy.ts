/** A copy of an interpreter's memory, and the way back to it. */
import { PAGE, watchPages } from "./changed-pages.ts";

/** Memory is kept in chunks of this size, which divides every memory's; those that are nothing but zeros are not kept. */
const CHUNK = 64 * 1024;

export interface MemoryCopy {
  /** Makes memory what the copy says. */
  putBack(): void;
  /** Makes the copy what memory is. @param heapEnd above it nothing has been written yet */
  update(heapEnd: number): void;
}

/** @param random fills with random bytes */
export function copyMemory(
  memory: WebAssembly.Memory,
  heapEnd: number,
  random: (into: Uint8Array) => void,
): MemoryCopy {
  const chunks = new Map<number, Uint8Array>();
  const watch = watchPages(memory, random);
  /** The end of what `watch` has noted: nothing before memory is put back for the first time, as many isolates serve one run. */
  let noted = 0;

  /** Keeps all from `start` on. */
  const keep = (start: number, end: number) => {
    const words = new Int32Array(memory.buffer);
    const isEmpty = (chunk: number) => {
      for (let word = chunk / 4; word < (chunk + CHUNK) / 4; word++) if (words[word] !== 0) return false;
      return true;
    };
    for (let chunk = start; chunk < end; chunk += CHUNK) {
      if (isEmpty(chunk)) chunks.delete(chunk);
      else chunks.set(chunk, new Uint8Array(memory.buffer).slice(chunk, chunk + CHUNK));
    }
  };
  const note = (end: number) => {
    watch?.note(noted / PAGE, end / PAGE);
    if (watch) noted = end;
  };
  const changedPages = () => watch?.find(noted / PAGE) ?? new Uint32Array();
  keep(0, heapEnd);

  return {
    putBack() {
      const now = new Uint8Array(memory.buffer);
      const copyBack = (start: number, end: number) => {
        for (let at = start; at < end; ) {
          const chunk = at - (at % CHUNK);
          const stop = Math.min(end, chunk + CHUNK);
          const kept = chunks.get(chunk);
          if (kept) now.set(kept.subarray(at - chunk, stop - chunk), at);
          else now.fill(0, at, stop);
          at = stop;
        }
      };
      for (const page of changedPages()) copyBack(page * PAGE, (page + 1) * PAGE);
      copyBack(noted, now.length);
      note(now.length);
    },
    update(heapEnd) {
      const now = new Uint8Array(memory.buffer);
      for (const page of changedPages().slice()) {
        const start = page * PAGE;
        const chunk = start - (start % CHUNK);
        let kept = chunks.get(chunk);
        if (!kept) chunks.set(chunk, (kept = new Uint8Array(CHUNK)));
        kept.set(now.subarray(start, start + PAGE), start - chunk);
        watch?.note(page, page + 1);
      }
      keep(noted, Math.max(noted, heapEnd));
      note(now.length);
    },
  };
}

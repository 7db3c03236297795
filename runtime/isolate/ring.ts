/**
 * A byte stream through a SharedArrayBuffer: the frame's document writes, the worker reads and can block. One writer, one reader.
 *
 *     i32 [0] bytes written, modulo 2^32    i32 [1] bytes read    i32 [2] 1: the writer waits for room    i32 [3] 0
 *     the bytes, round and round
 */

const WRITTEN = 0;
const READ = 1;
const WAITING = 2;
const HEAD_BYTES = 16;

/** Room for bytes under way; must be a power of two, so that positions may wrap. */
const RING_BYTES = 1 << 20;

/** Shared memory for one ring. */
export function makeRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD_BYTES + RING_BYTES);
}

class Ring {
  readonly state: Int32Array;
  readonly bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.state = new Int32Array(memory, 0, HEAD_BYTES / 4);
    this.bytes = new Uint8Array(memory, HEAD_BYTES);
  }

  /** How many bytes lie between two positions. */
  static distance(from: number, to: number): number {
    return (to - from) >>> 0;
  }
}

/** The writing end: never blocks. */
export class RingWriter {
  readonly #ring: Ring;
  readonly #queue: Uint8Array[] = [];

  constructor(memory: SharedArrayBuffer) {
    this.#ring = new Ring(memory);
  }

  /** Takes bytes; what does not fit now waits until the reader says that there is room. */
  push(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#queue.push(bytes);
    this.flush();
  }

  /** Writes what fits. To be called when the reader has said that there is room. */
  flush(): void {
    const { state, bytes } = this.#ring;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const written = Atomics.load(state, WRITTEN);
      let room = bytes.length - Ring.distance(Atomics.load(state, READ), written);
      if (room === 0) {
        Atomics.store(state, WAITING, 1);
        // The reader may have made room before it could see that somebody waits.
        room = bytes.length - Ring.distance(Atomics.load(state, READ), written);
        if (room === 0) return;
      }
      const at = (written >>> 0) % bytes.length;
      const length = Math.min(room, next.length, bytes.length - at);
      bytes.set(next.subarray(0, length), at);
      if (length === next.length) this.#queue.shift();
      else this.#queue[0] = next.subarray(length);
      Atomics.store(state, WRITTEN, (written + length) | 0);
      Atomics.notify(state, WRITTEN);
    }
  }
}

/** The reading end: blocks its thread. */
export class RingReader {
  readonly #ring: Ring;
  readonly #makeRoom: () => void;

  /** @param makeRoom called when there is room again for a writer that waits */
  constructor(memory: SharedArrayBuffer, makeRoom: () => void) {
    this.#ring = new Ring(memory);
    this.#makeRoom = makeRoom;
  }

  /** Waits until `into` is full. */
  read(into: Uint8Array): void {
    const { state, bytes } = this.#ring;
    let filled = 0;
    while (filled < into.length) {
      const read = Atomics.load(state, READ);
      const written = Atomics.load(state, WRITTEN);
      const there = Ring.distance(read, written);
      if (there === 0) {
        Atomics.wait(state, WRITTEN, written);
        continue;
      }
      const at = (read >>> 0) % bytes.length;
      const length = Math.min(there, into.length - filled, bytes.length - at);
      into.set(bytes.subarray(at, at + length), filled);
      filled += length;
      Atomics.store(state, READ, (read + length) | 0);
      if (Atomics.exchange(state, WAITING, 0) === 1) this.#makeRoom();
    }
  }
}

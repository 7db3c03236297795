/** `crypto` (random numbers only), `performance.now`, `queueMicrotask`. */
import { OP } from "../ops.ts";
import { host } from "./host.ts";

const MAX_RANDOM = 65536;
const IntrinsicPromise = Promise;
const then = Promise.prototype.then;

const random = (count: number) => new Uint8Array(host(OP.random, count) as ArrayBuffer);

export const crypto = {
  /** Fills an integer typed array in place. @throws RangeError above 65536 bytes, as on the web */
  getRandomValues<T extends ArrayBufferView>(array: T): T {
    if (
      !ArrayBuffer.isView(array) ||
      array instanceof Float32Array ||
      array instanceof Float64Array ||
      array instanceof DataView
    ) {
      throw new TypeError("Cannot get random values: the argument must be an integer typed array");
    }
    if (array.byteLength > MAX_RANDOM) {
      throw new RangeError(
        `Cannot get random values: at most ${MAX_RANDOM} bytes: received ${array.byteLength}`,
      );
    }
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(random(array.byteLength));
    return array;
  },
  /** A version 4 UUID (RFC 9562). */
  randomUUID(): string {
    const bytes = random(16);
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
};

export const performance = {
  /** Milliseconds since the run began. */
  now: (): number => host(OP.now) as number,
};

export function queueMicrotask(callback: unknown): void {
  if (typeof callback !== "function")
    throw new TypeError(`Cannot queue a microtask: it must be a function: received ${typeof callback}`);
  Reflect.apply(then, IntrinsicPromise.resolve(), [() => void callback()]);
}

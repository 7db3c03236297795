/** The few functions that the child's main realm lends to the bare realm. All take and give primitives, or fill buffers of the bare realm. */
export interface Outer {
  /** Waits for the next frame and gives the length of its rest. The process ends when the host is gone. */
  beginFrame(): number;
  /** Reads until `into` is full. */
  read(into: Uint8Array): void;
  /** Writes all of `from` to the host. */
  write(from: Uint8Array): void;
  now(): number;
  random(into: Uint8Array): void;
  setTimeout(callback: () => void, ms: number): number;
  clearTimeout(id: number): void;
  setImmediate(callback: () => void): void;
  /** UTF-8 bytes of `text` into `into` (3 bytes a UTF-16 unit suffice); gives how many. */
  encode(text: string, into: Uint8Array): number;
  decode(bytes: Uint8Array, encoding: string, fatal: boolean): string;
  /** An asset that the host sent: bytes or a compiled module, an object of the main realm. */
  asset(name: string): ArrayBuffer | WebAssembly.Module | undefined;
  /** The compiled module of the dynamic library at a path of the package archive; compiled once a process. */
  library(path: string): WebAssembly.Module | undefined;
  /** V8's code cache of the realm's script, with what has been compiled by now: an object of the main realm. */
  codeCache(): ArrayBuffer;
  /** Nothing is under way: waits for the next frame without going through the event loop, and hands it to the realm of then. */
  rest(): void;
  /** Leaves this realm for a new one that answers the request `id`, started with `text`. */
  renew(id: number, text: string): void;
  exit(): void;
}

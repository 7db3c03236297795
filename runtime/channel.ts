/**
 * The channel between a host and an isolate: frames, and request/reply over them.
 *
 * One frame on a byte stream (little-endian). Messages from a page's worker go without the first field; those to it are objects:
 *
 *     u32 length of what follows
 *     u8  kind        u8 reserved (0)      u16 length of name
 *     u32 id          u32 length of text   u16 number of buffers   u16 reserved (0)
 *     u32 × buffers   their lengths
 *     name, text (UTF-8)
 *     zeros, so that the buffers begin at a multiple of 8 after the length field: Arrow's readers copy data that lies askew
 *     buffers
 *
 * Many requests may be outstanding on each side; replies come in any order. The guest pays a credit for each frame
 * that it sends unasked (requests, events); the host gives credits back as it handles them. A guest that sends
 * without credit is ended.
 */
import { IsolateError } from "./errors.ts";
import type { Encoded } from "./value.ts";

export type FrameKind = "request" | "reply" | "event";

export interface Frame {
  kind: FrameKind;
  /** The request's id, repeated in its reply; 0 for events. */
  id: number;
  /** What is asked for; empty in replies. */
  name: string;
  text: string;
  buffers: Uint8Array[];
}

const KINDS: readonly FrameKind[] = ["request", "reply", "event"];
const HEAD = 20;
/** The fixed fields after the length field. */
const FIXED = HEAD - 4;
const MAX_NAME = 64;
const MAX_BUFFERS = 0xffff;

const paddingAfter = (length: number, buffers: number) => (buffers > 0 ? -length & 7 : 0);

/** Unacknowledged frames that a guest may have under way. */
export const CREDITS = 256;
/** A guest whose requests are larger than this together is not heard until some of them are answered. */
const MOST_ASKED_BYTES = 128 * 1024 * 1024;
/** The host gives credits back in steps of this many: what it still holds is not there for calls that wait for each other. */
const CREDIT_STEP = 16;

/** Bounds that the reading side puts on a frame before it allocates anything. */
export interface FrameBounds {
  maxBytes: number;
}

/** The head of a frame (all but its buffers, which are sent as they are). @throws IsolateError when a field does not fit. */
export function encodeFrameHead(frame: Frame): Uint8Array {
  const encoder = new TextEncoder();
  const name = encoder.encode(frame.name);
  const text = encoder.encode(frame.text);
  if (name.length > MAX_NAME || frame.buffers.length > MAX_BUFFERS) {
    throw new IsolateError(`A frame has ${frame.buffers.length} buffers: at most ${MAX_BUFFERS} fit`);
  }
  const used = HEAD + frame.buffers.length * 4 + name.length + text.length;
  const fixed = used + paddingAfter(used - 4, frame.buffers.length);
  const total = frame.buffers.reduce((sum, buffer) => sum + buffer.length, fixed);
  if (total > 0xffff_ffff)
    throw new IsolateError(`A frame of ${total} bytes is too large: 4 GiB is the most`);
  const head = new Uint8Array(fixed);
  const view = new DataView(head.buffer);
  view.setUint32(0, total - 4, true);
  view.setUint8(4, KINDS.indexOf(frame.kind));
  view.setUint16(6, name.length, true);
  view.setUint32(8, frame.id, true);
  view.setUint32(12, text.length, true);
  view.setUint16(16, frame.buffers.length, true);
  let at = HEAD;
  for (const buffer of frame.buffers) {
    view.setUint32(at, buffer.length, true);
    at += 4;
  }
  head.set(name, at);
  head.set(text, at + name.length);
  return head;
}

/** The fixed fields of a frame, from the bytes after the length field. @throws IsolateError for a kind that does not exist */
function decodeFixed(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = KINDS[view.getUint8(0)];
  const nameLength = view.getUint16(2, true);
  if (kind === undefined || nameLength > MAX_NAME) throw malformed();
  return {
    kind,
    nameLength,
    id: view.getUint32(4, true),
    textLength: view.getUint32(8, true),
    count: view.getUint16(12, true),
  };
}

const malformed = () => new IsolateError("A frame from the other side is malformed");

/** Lengths of the buffers, checked against the length of the whole. */
function decodeLengths(bytes: Uint8Array, count: number, before: number, total: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lengths = Array.from({ length: count }, (_, i) => view.getUint32(i * 4, true));
  if (lengths.reduce((sum, length) => sum + length, before) !== total) throw malformed();
  return lengths;
}

/** The length of a frame's rest, from its first four bytes. */
export function frameLength(lengthField: Uint8Array): number {
  return new DataView(lengthField.buffer, lengthField.byteOffset).getUint32(0, true);
}

/**
 * Decodes a frame from what follows its length field. Buffers are views on `rest`.
 * @throws IsolateError where lengths do not add up: the sender is broken or hostile.
 */
export function decodeFrame(rest: Uint8Array): Frame {
  if (rest.length < FIXED) throw malformed();
  const { kind, id, nameLength, textLength, count } = decodeFixed(rest);
  let at = FIXED + count * 4;
  if (at > rest.length) throw malformed();
  const used = at + nameLength + textLength;
  const padding = paddingAfter(used, count);
  const lengths = decodeLengths(rest.subarray(FIXED, at), count, used + padding, rest.length);
  const decoder = new TextDecoder();
  const take = (length: number) => rest.subarray(at, (at += length));
  const name = decoder.decode(take(nameLength));
  const text = decoder.decode(take(textLength));
  at += padding;
  return { kind, id, name, text, buffers: lengths.map(take) };
}

/**
 * Reads a frame whose rest has `total` bytes, part by part, so that each buffer has memory of its own.
 * @param read fills what it is given
 */
export function readFrame(total: number, read: (into: Uint8Array) => void): Frame {
  const take = (length: number) => {
    const bytes = new Uint8Array(length);
    read(bytes);
    return bytes;
  };
  const { kind, id, nameLength, textLength, count } = decodeFixed(take(FIXED));
  const used = FIXED + count * 4 + nameLength + textLength;
  const padding = paddingAfter(used, count);
  const lengths = decodeLengths(take(count * 4), count, used + padding, total);
  const decoder = new TextDecoder();
  const name = decoder.decode(take(nameLength));
  const text = decoder.decode(take(textLength));
  take(padding);
  return { kind, id, name, text, buffers: lengths.map(take) };
}

/** Collects the chunks of a byte stream into frames. */
export class FrameReader {
  readonly #bounds: FrameBounds;
  readonly #emit: (frame: Frame) => void;
  readonly #lengthField = new Uint8Array(4);
  #filled = 0;
  #rest: Uint8Array | null = null;

  constructor(bounds: FrameBounds, emit: (frame: Frame) => void) {
    this.#bounds = bounds;
    this.#emit = emit;
  }

  /** @throws IsolateError for a malformed frame or one above the bounds. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const target: Uint8Array = this.#rest ?? this.#lengthField;
      const part = chunk.subarray(at, at + target.length - this.#filled);
      target.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < target.length) return;
      this.#filled = 0;
      if (this.#rest === null) {
        const length = frameLength(this.#lengthField);
        if (length > this.#bounds.maxBytes || length < FIXED) {
          throw new IsolateError(
            `A frame of ${length} bytes came: at most ${this.#bounds.maxBytes} are allowed`,
          );
        }
        this.#rest = new Uint8Array(length);
      } else {
        const frame = decodeFrame(this.#rest);
        this.#rest = null;
        this.#emit(frame);
      }
    }
  }
}

/** Where frames go and come from. A platform edge implements it; `close` is idempotent. */
export interface Port {
  post(frame: Frame): void;
  /**
   * Where frames queue up on this side (messages), not in a pipe that fills: milliseconds between two gifts of credit. That bounds
   * how many frames may come, and a guest that sends more without waiting is seen.
   */
  readonly creditGapMs?: number;
  /** Where the other side reads from a pipe: how much waits in it, and the way to make the other side wait. */
  readonly flow?: {
    /** Resolves when little of what was posted still waits, or the port is closed; undefined where that is so now. */
    drained(): Promise<void> | undefined;
    /** While true, nothing more is read. */
    hold(isHeld: boolean): void;
  };
  /** Set by the channel. */
  onFrame: (frame: Frame) => void;
  /** Set by the channel; called once, with the reason, when no more frames can come. */
  onClose: (reason: Error) => void;
  close(): void;
}

/** What a side answers to requests and does on events. */
export interface ChannelHandlers {
  request(name: string, body: Encoded): Promise<Encoded> | Encoded;
  event(name: string, body: Encoded): void;
  /** The peer broke the protocol or its port closed; called once. */
  closed(reason: Error): void;
}

/** The host's end. Everything that arrives is data from a possibly hostile peer. */
export class HostChannel {
  readonly #port: Port;
  readonly #handlers: ChannelHandlers;
  readonly #pending = new Map<number, { resolve: (body: Encoded) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #credit = CREDITS;
  #handled = 0;
  #closed: Error | null = null;
  #lastGift = Number.NEGATIVE_INFINITY;
  #gift: ReturnType<typeof setTimeout> | undefined;
  /** How often the guest has been replaced. */
  #generation = 0;
  /** Of requests that have no answer yet. */
  #askedBytes = 0;

  constructor(port: Port, handlers: ChannelHandlers) {
    this.#port = port;
    this.#handlers = handlers;
    port.onFrame = (frame) => this.#receive(frame);
    port.onClose = (reason) => this.close(reason);
  }

  /** Asks the guest. @throws IsolateError (or the reason of closing) when the channel closes first. */
  request(name: string, body: Encoded): Promise<Encoded> {
    if (this.#closed) return Promise.reject(this.#closed);
    const id = this.#nextId++ >>> 0;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#port.post({ kind: "request", id, name, ...body });
    });
  }

  /** Tells the guest something that has no answer. */
  event(name: string, body: Encoded = { text: "", buffers: [] }): void {
    if (!this.#closed) this.#port.post({ kind: "event", id: 0, name, ...body });
  }

  /** The guest is about to be replaced: a new one counts ids and credits from the start, and answers to the old one are not for it. */
  startAnew(): void {
    this.#generation++;
    clearTimeout(this.#gift);
    this.#gift = undefined;
    this.#credit = CREDITS;
    this.#handled = 0;
  }

  /** Resolves when the guest has taken most of what it was answered: before, nothing large should be made for it. */
  async taken(): Promise<void> {
    await this.#port.flow?.drained();
  }

  close(reason: Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    clearTimeout(this.#gift);
    this.#port.close();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    this.#handlers.closed(reason);
  }

  #receive(frame: Frame): void {
    if (this.#closed) return;
    const body = { text: frame.text, buffers: frame.buffers };
    if (frame.kind === "reply") {
      this.#settle(frame.id, body);
    } else if (--this.#credit < 0) {
      this.close(new IsolateError(`The isolate sent more than ${CREDITS} frames without waiting for credit`));
    } else if (frame.kind === "event") {
      this.#handlers.event(frame.name, body);
      this.#giveCredit();
    } else {
      void this.#answer(frame.id, frame.name, body);
    }
  }

  #settle(id: number, body: Encoded): void {
    const waiting = this.#pending.get(id);
    this.#pending.delete(id);
    if (waiting) waiting.resolve(body);
    else this.close(new IsolateError(`The isolate answered request ${id}, which nobody asked`));
  }

  async #answer(id: number, name: string, body: Encoded): Promise<void> {
    const generation = this.#generation;
    const bytes = body.buffers.reduce((sum, buffer) => sum + buffer.length, body.text.length);
    this.#noteAsked(bytes);
    let reply: Encoded;
    try {
      const waiting = this.#port.flow?.drained();
      if (waiting) await waiting;
      reply = await this.#handlers.request(name, body);
    } catch (error) {
      this.close(error as Error);
      return;
    } finally {
      this.#noteAsked(-bytes);
    }
    if (this.#closed || generation !== this.#generation) return;
    this.#port.post({ kind: "reply", id, name: "", ...reply });
    this.#giveCredit();
  }

  /** What a guest asks with lies in the host's memory until it is answered. */
  #noteAsked(bytes: number): void {
    const wasFull = this.#askedBytes > MOST_ASKED_BYTES;
    this.#askedBytes += bytes;
    const isFull = this.#askedBytes > MOST_ASKED_BYTES;
    if (isFull !== wasFull) this.#port.flow?.hold(isFull);
  }

  #giveCredit(): void {
    if (++this.#handled < CREDIT_STEP || this.#closed || this.#gift !== undefined) return;
    const { creditGapMs = 0 } = this.#port;
    const wait = creditGapMs > 0 ? this.#lastGift + creditGapMs - performance.now() : 0;
    if (wait > 0) this.#gift = setTimeout(() => this.#grant(), wait);
    else this.#grant();
  }

  #grant(): void {
    this.#gift = undefined;
    this.#lastGift = performance.now();
    this.#credit += this.#handled;
    this.#port.post({ kind: "event", id: 0, name: "credit", text: String(this.#handled), buffers: [] });
    this.#handled = 0;
  }
}

/** What the guest's end needs of its platform. `receive` blocks until a frame is there; undefined where nothing can block. */
export interface GuestPort {
  post(frame: Frame): void;
  receive: (() => Frame) | undefined;
}

/** The guest's end. One reader serves blocking and asynchronous waits: whoever reads hands each frame to whom it belongs. */
export class GuestChannel {
  readonly #port: GuestPort;
  readonly #handle: (frame: Frame) => void;
  readonly #pending = new Map<number, (body: Encoded) => void>();
  readonly #waitingForCredit: Frame[] = [];
  readonly #drained: (() => void)[] = [];
  #nextId = 1;
  #credit = CREDITS;

  /** `handle` gets the host's requests and events (but credits). */
  constructor(port: GuestPort, handle: (frame: Frame) => void) {
    this.#port = port;
    this.#handle = handle;
  }

  /** A frame has arrived (asynchronously read). */
  deliver(frame: Frame): void {
    if (frame.kind === "reply") {
      const resolve = this.#pending.get(frame.id);
      this.#pending.delete(frame.id);
      resolve?.({ text: frame.text, buffers: frame.buffers });
    } else if (frame.name === "credit") {
      this.#credit += Number(frame.text);
      while (this.#credit > 0 && this.#waitingForCredit.length > 0)
        this.#spend(this.#waitingForCredit.shift() as Frame);
      if (this.#waitingForCredit.length === 0) for (const resolve of this.#drained.splice(0)) resolve();
    } else {
      this.#handle(frame);
    }
  }

  request(name: string, body: Encoded): Promise<Encoded> {
    const id = this.#nextId++ >>> 0;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.#send({ kind: "request", id, name, ...body });
    });
  }

  /** The same, blocking: frames that arrive meanwhile are delivered, so asynchronous waits make progress. */
  requestBlocking(name: string, body: Encoded): Encoded {
    const receive = this.#port.receive;
    if (!receive) throw new IsolateError("This platform cannot block: use the asynchronous call");
    const id = this.#nextId++ >>> 0;
    let answer: Encoded | undefined;
    this.#pending.set(id, (reply) => {
      answer = reply;
    });
    this.#send({ kind: "request", id, name, ...body });
    while (answer === undefined) this.deliver(receive());
    return answer;
  }

  event(name: string, body: Encoded): void {
    this.#send({ kind: "event", id: 0, name, ...body });
  }

  reply(id: number, body: Encoded): void {
    this.#port.post({ kind: "reply", id, name: "", ...body });
  }

  /** Resolves when nothing waits for credit any more: a reply would overtake it. */
  drained(): Promise<void> {
    if (this.#waitingForCredit.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Drops what the run that ended was still waiting for. */
  forget(): void {
    this.#pending.clear();
    this.#waitingForCredit.length = 0;
  }

  #send(frame: Frame): void {
    while (this.#credit <= 0 && this.#port.receive) this.deliver(this.#port.receive());
    if (this.#credit <= 0)
      this.#waitingForCredit.push({ ...frame, buffers: frame.buffers.map((buffer) => buffer.slice()) });
    else this.#spend(frame);
  }

  #spend(frame: Frame): void {
    this.#credit--;
    this.#port.post(frame);
  }
}

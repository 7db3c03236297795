/**
 * `ReadableStream`. Source: the Streams standard, without readers that bring their own buffers (BYOB) and without writable
 * streams, so that there is nothing to pipe to. Inside, a stream is a `Flow` and waits with callbacks: what a UDF has done to
 * promises does not matter.
 */
import {
  apply,
  Bytes,
  byteLength,
  bytesOf,
  define,
  dictionary,
  IntrinsicPromise,
  isBytes,
  joinBytes,
  list,
  nothing,
  rangeError,
  settle,
  textOf,
  typeError,
} from "./host.ts";

type Done = () => void;
type Failed = (reason: unknown) => void;

/** Where the chunks come from. `done` and `failed` are never called before the method returns. */
export interface Source {
  /** A chunk is wanted: brings it, or the end, to the flow, then calls `done`. */
  pull(flow: Flow, done: Done, failed: Failed): void;
  cancel(reason: unknown, done: Done, failed: Failed): void;
}

/** What waits for a chunk. */
interface Request {
  chunk(value: unknown): void;
  end(): void;
  failed: Failed;
}

/** What has taken a stream for itself. */
interface Lock {
  requests: Queue<Request>;
  end: Done;
  failed: Failed;
}

interface Node<T> {
  item: T;
  next: Node<T> | null;
}

class Queue<T> {
  length = 0;
  #first: Node<T> | null = null;
  #last: Node<T> | null = null;
  push(item: T): void {
    const node = { item, next: null };
    if (this.#last) this.#last.next = node;
    else this.#first = node;
    this.#last = node;
    this.length++;
  }
  shift(): T {
    const { item, next } = this.#first as Node<T>;
    this.#first = next;
    if (!next) this.#last = null;
    this.length--;
    return item;
  }
}

const newLock = (): Lock => ({ requests: new Queue(), end: nothing, failed: nothing });

/** The state of a stream. */
export class Flow {
  state: "open" | "ended" | "failed" = "open";
  /** Why it failed. */
  reason: unknown = undefined;
  /** It was read from or cancelled. */
  disturbed = false;
  lock: Lock | null = null;
  /** Its source has started and may be asked. */
  started = false;
  /** No chunk comes after those that are queued. */
  ending = false;
  /** A stream of bytes: its chunks are `Uint8Array`s. */
  readonly bytes: boolean;
  readonly #source: Source;
  readonly #most: number;
  #chunks = new Queue<{ value: unknown; size: number }>();
  #size = 0;
  #pulling = false;
  #again = false;

  /** @param most how much is queued before it is asked for (0: only what is asked for is fetched) */
  constructor(source: Source, most: number, bytes: boolean) {
    this.#source = source;
    this.#most = most;
    this.bytes = bytes;
  }

  get room(): number | null {
    return this.state === "open" ? this.#most - this.#size : this.state === "ended" ? 0 : null;
  }

  start(): void {
    this.started = true;
    this.pull();
  }

  pull(): void {
    const wanted = this.lock && this.lock.requests.length > 0;
    if (this.state !== "open" || this.ending || !this.started || !(wanted || (this.room as number) > 0))
      return;
    this.#again = this.#pulling;
    if (this.#pulling) return;
    this.#pulling = true;
    this.#source.pull(
      this,
      () => {
        this.#pulling = false;
        if (this.#again) this.pull();
      },
      (reason) => this.fail(reason),
    );
  }

  push(value: unknown, size: number): void {
    if (this.state !== "open") return;
    if (this.lock && this.lock.requests.length > 0) this.lock.requests.shift().chunk(value);
    else {
      this.#chunks.push({ value, size });
      this.#size += size;
    }
    this.pull();
  }

  /** Nothing comes any more; what is queued can be read. */
  end(): void {
    this.ending = true;
    if (this.#chunks.length === 0) this.#finish();
  }

  fail(reason: unknown): void {
    if (this.state !== "open") return;
    this.state = "failed";
    this.reason = reason;
    this.#chunks = new Queue();
    const { lock } = this;
    if (!lock) return;
    while (lock.requests.length > 0) lock.requests.shift().failed(reason);
    lock.failed(reason);
  }

  read(request: Request): void {
    this.disturbed = true;
    if (this.state === "failed") request.failed(this.reason);
    else if (this.state === "ended") request.end();
    else if (this.#chunks.length > 0) {
      const { value, size } = this.#chunks.shift();
      this.#size = this.#chunks.length > 0 ? this.#size - size : 0;
      if (this.ending && this.#chunks.length === 0) this.#finish();
      else this.pull();
      request.chunk(value);
    } else {
      this.lock?.requests.push(request);
      this.pull();
    }
  }

  cancel(reason: unknown, done: Done, failed: Failed): void {
    this.disturbed = true;
    if (this.state === "failed") failed(this.reason);
    else if (this.state === "ended") done();
    else {
      this.#chunks = new Queue();
      this.#finish();
      this.#source.cancel(reason, done, failed);
    }
  }

  #finish(): void {
    if (this.state !== "open") return;
    this.state = "ended";
    const { lock } = this;
    if (!lock) return;
    while (lock.requests.length > 0) lock.requests.shift().end();
    lock.end();
  }
}

/** Two streams of what comes out of one. Of a stream of bytes the second gets chunks of its own. */
function teeFlow(flow: Flow): [Flow, Flow] {
  const lock = (flow.lock = newLock());
  let reading = false;
  const reasons: [unknown, unknown] = [undefined, undefined];
  const gone = [false, false] as [boolean, boolean];
  const waiting = new Queue<{ done: Done; failed: Failed }>();
  const settled = (how: "done" | "failed", reason?: unknown) => {
    while (waiting.length > 0) waiting.shift()[how](reason);
  };
  const request: Request = {
    chunk(value) {
      // Later: whoever reads one branch must have seen the end of its own reading first.
      settle(
        undefined,
        () => {
          reading = false;
          if (!gone[0]) first.push(value, 1);
          if (!gone[1]) second.push(flow.bytes && isBytes(value) ? new Bytes(value) : value, 1);
        },
        nothing,
      );
    },
    end() {
      if (!gone[0]) first.end();
      if (!gone[1]) second.end();
      settled("done");
    },
    failed: nothing,
  };
  lock.failed = (reason) => {
    first.fail(reason);
    second.fail(reason);
    settled("done");
  };
  const branch = (index: 0 | 1): Flow =>
    new Flow(
      {
        pull(_, done) {
          if (!reading) {
            reading = true;
            flow.read(request);
          }
          settle(undefined, done, nothing);
        },
        cancel(reason, done, failed) {
          gone[index] = true;
          reasons[index] = reason;
          waiting.push({ done, failed });
          if (gone[0] && gone[1])
            flow.cancel(
              reasons,
              () => settled("done"),
              (why) => settled("failed", why),
            );
        },
      },
      flow.bytes ? 0 : 1,
      flow.bytes,
    );
  const first = branch(0);
  const second = branch(1);
  if (flow.state === "failed") lock.failed(flow.reason);
  first.start();
  second.start();
  return [first, second];
}

/** @throws TypeError for a stream that something else reads */
export function tee(stream: ReadableStream): [ReadableStream, ReadableStream] {
  const branches = teeFlow(takeFlow(stream, "Cannot tee"));
  return [new ReadableStream(branches[0]), new ReadableStream(branches[1])];
}

/** Reads a stream that nothing else reads to its end. @param done gets all bytes; a chunk that is none is a failure */
export function readAll(stream: ReadableStream, done: (bytes: Uint8Array) => void, failed: Failed): void {
  const flow = flowOf(stream);
  flow.lock = newLock();
  const parts = list<Uint8Array>();
  let reading = false;
  let more = false;
  const request: Request = {
    chunk(value) {
      if (!isBytes(value)) {
        const error = typeError("Cannot read the body: a chunk of the stream is no Uint8Array");
        flow.cancel(error, nothing, nothing);
        return failed(error);
      }
      parts[parts.length] = value;
      more = true;
      if (!reading) loop();
    },
    end: () => done(joinBytes(parts)),
    failed,
  };
  // A loop, because a chunk that is there already comes before `read` returns.
  const loop = () => {
    reading = true;
    do {
      more = false;
      flow.read(request);
    } while (more);
    reading = false;
  };
  loop();
}

class ReadableStreamDefaultReader {
  #flow: Flow | null;
  readonly #lock = newLock();
  #closed: Promise<void> | null = null;

  constructor(stream: ReadableStream) {
    this.#flow = takeFlow(stream, "Cannot make a reader");
    this.#flow.lock = this.#lock;
  }
  get closed(): Promise<void> {
    this.#closed ??= new IntrinsicPromise<void>((resolve, reject) => {
      const flow = this.#flow;
      if (!flow) reject(released());
      else if (flow.state === "ended") resolve();
      else if (flow.state === "failed") reject(flow.reason);
      else {
        this.#lock.end = resolve;
        this.#lock.failed = reject;
      }
    });
    // Nobody has to handle it.
    settle(this.#closed, nothing, nothing);
    return this.#closed;
  }
  read(): Promise<{ value: unknown; done: boolean }> {
    return new IntrinsicPromise((resolve, failed) => {
      if (!this.#flow) throw released();
      this.#flow.read({
        chunk: (value) => resolve({ value, done: false }),
        end: () => resolve({ value: undefined, done: true }),
        failed,
      });
    });
  }
  cancel(reason: unknown = undefined): Promise<void> {
    return new IntrinsicPromise((resolve, reject) => {
      if (!this.#flow) throw released();
      this.#flow.cancel(reason, resolve, reject);
    });
  }
  releaseLock(): void {
    if (!this.#flow) return;
    const open = this.#flow.state === "open";
    this.#flow.lock = null;
    this.#flow = null;
    while (this.#lock.requests.length > 0) this.#lock.requests.shift().failed(released());
    if (open) this.#lock.failed(released());
    else this.#closed = null;
  }
}

const released = () => typeError("The reader has been released");

class ReadableStreamDefaultController {
  readonly #flow: Flow;
  readonly #sizeOf: ((chunk: unknown) => unknown) | undefined;

  constructor(flow: unknown, sizeOf?: (chunk: unknown) => unknown) {
    if (!(flow instanceof Flow)) throw typeError("Illegal constructor");
    this.#flow = flow;
    this.#sizeOf = sizeOf;
  }
  get desiredSize(): number | null {
    return this.#flow.room;
  }
  close(): void {
    this.#check("close the stream");
    this.#flow.end();
  }
  enqueue(chunk: unknown = undefined): void {
    this.#check("add a chunk");
    const bytes = this.#flow.bytes ? bytesOf(chunk) : null;
    if (this.#flow.bytes && !(bytes && byteLength(bytes)))
      throw typeError("Cannot add a chunk: a stream of bytes takes views that are not empty");
    let size: number;
    try {
      const sizeOf = this.#sizeOf;
      size = bytes ? byteLength(bytes) : sizeOf ? +(sizeOf(chunk) as number) : 1;
      if (!(size >= 0 && size < Infinity))
        throw rangeError(`Cannot add a chunk: its size must be a number: received ${size}`);
    } catch (error) {
      this.#flow.fail(error);
      throw error;
    }
    this.#flow.push(bytes ?? chunk, size);
  }
  error(reason: unknown = undefined): void {
    this.#flow.fail(reason);
  }
  #check(what: string): void {
    if (this.#flow.state !== "open" || this.#flow.ending)
      throw typeError(`Cannot ${what}: it is closed or has failed`);
  }
}

export let flowOf: (stream: ReadableStream) => Flow;
export let isStream: (value: unknown) => value is ReadableStream;

/** @throws TypeError for a stream that something else reads */
function takeFlow(stream: ReadableStream, what: string): Flow {
  const flow = flowOf(stream);
  if (flow.lock) throw typeError(`${what}: the stream is locked to a reader`);
  return flow;
}

/** What `for await` goes along. No generator: QuickJS does not wait for one that is left early, and the lock must be gone then. */
class ReadableStreamAsyncIterator {
  readonly #flow: Flow;
  readonly #keep: boolean;
  #over = false;

  constructor(flow: Flow, keep: boolean) {
    this.#flow = flow;
    this.#keep = keep;
    flow.lock = newLock();
  }
  next(): Promise<{ value: unknown; done: boolean }> {
    return new IntrinsicPromise((resolve, reject) => {
      if (this.#over) resolve({ value: undefined, done: true });
      else
        this.#flow.read({
          chunk: (value) => resolve({ value, done: false }),
          end: () => {
            this.#leave();
            resolve({ value: undefined, done: true });
          },
          failed: (reason) => {
            this.#leave();
            reject(reason);
          },
        });
    });
  }
  return(value: unknown = undefined): Promise<{ value: unknown; done: boolean }> {
    return new IntrinsicPromise((resolve, reject) => {
      const done = () => resolve({ value, done: true });
      if (this.#over || this.#keep) done();
      else this.#flow.cancel(value, done, reject);
      this.#leave();
    });
  }
  [Symbol.asyncIterator](): this {
    return this;
  }
  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#flow.lock = null;
  }
}

/** Calls a method of the UDF's; what it throws and what its promise is rejected with is a failure. */
async function callBack(method: unknown, self: unknown, argument: unknown, done: Done, failed: Failed) {
  try {
    if (method !== undefined) await apply(method as () => unknown, self, [argument] as never);
  } catch (error) {
    failed(error);
    return;
  }
  done();
}

export class ReadableStream {
  readonly #flow: Flow;

  static {
    flowOf = (stream) => stream.#flow;
    isStream = (value): value is ReadableStream =>
      typeof value === "object" && value !== null && #flow in value;
  }

  constructor(source: unknown = undefined, strategy: unknown = undefined) {
    if (source instanceof Flow) {
      this.#flow = source;
      return;
    }
    const name = "Cannot make a ReadableStream";
    const { cancel, pull, start, type } = dictionary(source, "A stream's source");
    const { highWaterMark, size } = dictionary(strategy, "A stream's strategy");
    if (type !== undefined && textOf(type) !== "bytes")
      throw typeError(`${name}: type must be undefined or "bytes": received ${type}`);
    const callable = (method: unknown) => method === undefined || typeof method === "function";
    if (!(callable(cancel) && callable(pull) && callable(start) && callable(size)))
      throw typeError(`${name}: cancel, pull, start and size must be functions`);
    const most = highWaterMark === undefined ? (type === undefined ? 1 : 0) : +(highWaterMark as number);
    if (!(most >= 0)) throw rangeError(`${name}: highWaterMark must be at least 0: received ${most}`);
    const flow = new Flow(
      {
        pull: (_, done, failed) => callBack(pull, source, controller, done, failed),
        cancel: (reason, done, failed) => callBack(cancel, source, reason, done, failed),
      },
      most,
      type !== undefined,
    );
    const controller = new ReadableStreamDefaultController(flow, size as (chunk: unknown) => unknown);
    this.#flow = flow;
    const started = start && apply(start as () => unknown, source, [controller] as never);
    settle(
      started,
      () => flow.start(),
      (reason) => flow.fail(reason),
    );
  }
  get locked(): boolean {
    return this.#flow.lock !== null;
  }
  cancel(reason: unknown = undefined): Promise<void> {
    return new IntrinsicPromise((resolve, reject) =>
      takeFlow(this, "Cannot cancel").cancel(reason, resolve, reject),
    );
  }
  getReader(options: unknown = {}): ReadableStreamDefaultReader {
    const { mode } = dictionary(options, "Cannot make a reader: its options");
    if (mode !== undefined)
      throw typeError(`Cannot make a reader: the mode ${mode} is not supported: leave it out`);
    return new ReadableStreamDefaultReader(this);
  }
  tee(): [ReadableStream, ReadableStream] {
    return tee(this);
  }
  values(options: unknown = {}): ReadableStreamAsyncIterator {
    const { preventCancel } = dictionary(options, "Cannot iterate: its options");
    return new ReadableStreamAsyncIterator(takeFlow(this, "Cannot iterate"), !!preventCancel);
  }
}
define(ReadableStream.prototype, Symbol.asyncIterator, ReadableStream.prototype.values);

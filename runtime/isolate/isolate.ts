/** One isolate as its owner sees it: started with an engine, running one UDF at a time, put back between runs, ended for good. */
import { HostChannel } from "../channel.ts";
import type { PutBack } from "../engines/guest.ts";
import {
  AssetError,
  CancelledError,
  IsolateError,
  LimitExceededError,
  UdfExitError,
  UdfLoadError,
  UdfRuntimeError,
} from "../errors.ts";
import { TimeLimit } from "../time-limit.ts";
import type { RunRequest } from "../udf.ts";
import { type Encoded, fitsAsObjects } from "../value.ts";
import type { IsolateAsset, IsolatePlatform, IsolateProcess } from "./platform.ts";

/** What an engine needs to start, made once and used for every isolate of the kind. */
export interface IsolateRecipe {
  /** Identifies the kind: engine, build, packages. */
  key: string;
  realm: string;
  /** In the order in which they are sent; each as soon as it is there. */
  assets: readonly (IsolateAsset | Promise<IsolateAsset>)[];
  /** Compiled code of the realm's script. */
  codeCache?: Promise<Uint8Array | undefined>;
  start: Record<string, unknown>;
  /** A fresh realm is needed before another UDF runs (QuickJS makes a new VM for every run anyway). */
  realmPerUdf: boolean;
}

export interface IsolateOptions {
  memoryBytes: number;
  startMs: number;
  outputBytes: number;
  messageBytes: number;
  reusable: boolean;
  /** Started ahead of need: its engine runs something first, so that the code for it is compiled before anybody waits. */
  warm: boolean;
}

/** Answers host calls and takes output during a run. */
export interface RunEvents {
  call(name: string, argument: Encoded): Promise<Encoded>;
  output(stream: "stdout" | "stderr", bytes: Uint8Array): void;
}

const text = (value: unknown): Encoded => ({ text: JSON.stringify(value), buffers: [] });

/** An engine that ended: by what a UDF did, when one was running. Pyodide does not survive `os._exit` and a stack overflow in C. */
function fatalError(reason: string, task: "run" | "inspect" | null): Error {
  if (task === null) return new IsolateError(`The engine failed beyond repair: ${reason}`);
  if (task === "inspect")
    return new UdfLoadError(`Cannot read the UDF: its text ended the interpreter (${reason})`);
  const exit = /terminated with exit\((-?\d+)\)/.exec(reason);
  if (exit) return new UdfExitError(`The UDF ended its interpreter (exit ${exit[1]})`);
  const type = /call stack|recursion/i.test(reason) ? "RecursionError" : "FatalError";
  const message = `the UDF ended its interpreter: ${reason}`;
  return new UdfRuntimeError(`${type}: ${message}`, { type, traceback: `${type}: ${message}` });
}

/** How long putting memory back may take; copying 4 GiB takes about one second. */
const PUT_BACK_MS = 5000;
/** Events of a guest in which nothing runs: the last output of a run may come late, a flood may not. */
const MAX_STRAY_EVENTS = 100;
/** How often the memory of a running process is looked at. */
const MEMORY_WATCH_MS = 50;
/** What the process itself takes beside the engine's heap: V8, compiled code, the snapshot's copy. */
const PROCESS_OVERHEAD_BYTES = 256 * 1024 * 1024;
/** An isolate in which garbage takes more than this part of the limit on memory is not used again. */
const MOST_LEFT = 0.5;

export class Isolate {
  readonly recipe: IsolateRecipe;
  /** The UDF that is prepared in it, by hash; null in a fresh realm. */
  prepared: string | null = null;
  /** How long putting memory back took after the last run; 0 where there was none. */
  restoreMs = 0;
  /** Whose it is: set at the first lease, never changed. */
  identity: string | null = null;
  #process: IsolateProcess;
  #channel: HostChannel;
  #options: IsolateOptions;
  /** Where the system ends what has lost its host, the host alone keeps the clock, and can stop it. */
  #guestKeepsTime: boolean;
  #events: RunEvents | null = null;
  #task: "run" | "inspect" | null = null;
  #begun = false;
  #ended: Error | null = null;
  #putBack: PromiseWithResolvers<void> | null = null;
  #timeLimit: TimeLimit | null = null;
  #putBackTimer: ReturnType<typeof setTimeout> | undefined;
  #strayEvents = 0;
  #heldBytes = 0;
  /** What it held when it had just started. */
  #freshBytes = 0;
  #reusable = true;
  /** Called once, when it has ended. */
  onEnd: () => void = () => {};

  private constructor(
    recipe: IsolateRecipe,
    process: IsolateProcess,
    options: IsolateOptions,
    guestKeepsTime: boolean,
  ) {
    this.recipe = recipe;
    this.#guestKeepsTime = guestKeepsTime;
    this.#process = process;
    this.#options = options;
    this.#channel = new HostChannel(process.port, {
      request: (name, body) => {
        if (!this.#events) throw new IsolateError(`The isolate called ${name} while nothing ran in it`);
        this.#checkMessage(body);
        return this.#events.call(name, body);
      },
      event: (name, body) => this.#event(name, body),
      closed: (reason) => {
        this.#ended ??= reason;
        this.#reusable = false;
        this.#endPutBack();
        process.kill();
        this.onEnd();
      },
    });
    // It may have ended before anybody listened.
    void process.gone.then(() => this.#channel.close(new IsolateError("The isolate's process has ended")));
  }

  /**
   * Starts one. @returns it, and the buffers that its engine answered with (a snapshot that was asked for)
   * @throws AssetError when the engine cannot boot, IsolateError, LimitExceededError (`startMs`), CancelledError. Nothing is left then.
   */
  static async open(
    platform: IsolatePlatform,
    recipe: Promise<IsolateRecipe> | IsolateRecipe,
    options: IsolateOptions,
    signal?: AbortSignal,
  ): Promise<{ isolate: Isolate; buffers: Uint8Array[] }> {
    const launched = platform.launch({
      memoryBytes: options.memoryBytes,
      warm: options.warm,
      maxFrameBytes: options.outputBytes + (1 << 20),
    });
    // The process starts while the recipe is still being read.
    const [processResult, recipeResult] = await Promise.allSettled([launched, recipe]);
    if (processResult.status === "rejected") throw processResult.reason;
    const process = processResult.value;
    if (recipeResult.status === "rejected") {
      process.kill();
      throw recipeResult.reason;
    }
    const isolate = new Isolate(recipeResult.value, process, options, !platform.capabilities.endsOrphans);
    try {
      const { assets, realm, codeCache } = recipeResult.value;
      for (const asset of assets) process.provide(await asset);
      process.script(realm, await codeCache);
      const options = isolate.#startOptions(isolate.#options.warm);
      const answer = await isolate.#guarded("start", "startMs", isolate.#options.startMs, signal, options);
      const report = JSON.parse(answer.text) as {
        ok: boolean;
        value?: { heapBytes?: number };
        error?: { message: string; traceback: string };
      };
      if (!report.ok) {
        throw new AssetError(`The engine did not start: ${report.error?.message}`, {
          cause: report.error?.traceback,
        });
      }
      isolate.#noteHeap(report.value?.heapBytes);
      isolate.#freshBytes = process.memoryBytes?.() ?? 0;
      return { isolate, buffers: answer.buffers };
    } catch (error) {
      await isolate.close(error as Error);
      throw error;
    }
  }

  get ended(): Error | null {
    return this.#ended;
  }

  /** Whether it ended by itself before the last run could start: then nothing of that run has happened. */
  get neverBegan(): boolean {
    return this.#ended instanceof IsolateError && !this.#begun;
  }

  /** Whether it may be leased again (once `settled`). */
  get reusable(): boolean {
    return this.#reusable && !this.#ended;
  }

  /** About how much memory it takes: as measured during its last run, or by what its engine said. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Resolves when memory has been put back after the last run, or the isolate has ended. */
  get settled(): Promise<void> {
    return this.#putBack?.promise ?? Promise.resolve();
  }

  #startOptions(warm: boolean): Encoded {
    const { memoryBytes, reusable } = this.#options;
    return text({ ...this.recipe.start, memoryBytes, reusable, warm });
  }

  /** Leaves the realm for a fresh one in the same process. */
  async renew(signal?: AbortSignal): Promise<void> {
    this.#channel.startAnew();
    // Somebody waits for it.
    await this.#guarded("renew", "startMs", this.#options.startMs, signal, this.#startOptions(false));
    this.prepared = null;
  }

  /** Reads a UDF without running it. @throws UdfLoadError when its text ends the engine: parsers written in C have a stack, too. */
  async inspect(request: Encoded, signal?: AbortSignal): Promise<Encoded> {
    this.#expectPutBack();
    this.#task = "inspect";
    try {
      return await this.#guarded("inspect", "startMs", this.#options.startMs, signal, request);
    } finally {
      this.#awaitPutBack();
      this.#task = null;
    }
  }

  /**
   * Runs a UDF. The caller must have waited for `settled`.
   * @throws LimitExceededError, CancelledError, IsolateError: then the isolate has ended. Failures of the UDF are in the reply.
   */
  async run(
    request: RunRequest,
    buffers: Uint8Array[],
    hash: string,
    events: RunEvents,
    signal?: AbortSignal,
  ): Promise<Encoded> {
    const { udf, ...rest } = request;
    const limits = this.#guestKeepsTime
      ? request.limits
      : { ...request.limits, timeMs: Number.MAX_SAFE_INTEGER };
    // `udf` first: the engine looks at the beginning of the text.
    const text = JSON.stringify({ udf: this.prepared === hash ? null : udf, ...rest, limits });
    const body = { text, buffers };
    this.#events = events;
    this.#task = "run";
    this.#begun = false;
    this.#strayEvents = 0;
    this.#expectPutBack();
    const watch = this.#watchMemory(request.limits.memoryBytes);
    try {
      const reply = await this.#guarded("run", "timeMs", request.limits.timeMs, signal, body);
      this.prepared = hash;
      return reply;
    } finally {
      this.#awaitPutBack();
      clearInterval(watch);
      this.#events = null;
      this.#task = null;
    }
  }

  /** Resolves when its guest has taken most of what it was answered. */
  taken(): Promise<void> {
    return this.#channel.taken();
  }

  /** Stops the clock of what runs. @returns the function that lets it go on */
  pauseTimeLimit(): () => void {
    return this.#timeLimit?.pause() ?? (() => {});
  }

  /** Ends it. Idempotent; resolves when nothing is left. */
  async close(reason: Error = new IsolateError("The isolate was closed")): Promise<void> {
    this.#channel.close(reason);
    await this.#process.gone;
  }

  #expectPutBack(): void {
    if (this.#options.reusable) this.#putBack = Promise.withResolvers<void>();
    else this.#reusable = false;
  }

  /** The answer is there; the guest has to say soon that it is idle. */
  #awaitPutBack(): void {
    if (!this.#putBack || this.#ended) return;
    this.#putBackTimer = setTimeout(
      () => this.#channel.close(new IsolateError(`The isolate was not idle ${PUT_BACK_MS} ms after its run`)),
      PUT_BACK_MS,
    );
    (this.#putBackTimer as { unref?(): void }).unref?.();
  }

  #endPutBack(): void {
    clearTimeout(this.#putBackTimer);
    this.#putBack?.resolve();
    this.#putBack = null;
  }

  /** An engine that is put back keeps a copy of its heap. */
  #noteHeap(heapBytes: unknown): void {
    this.#heldBytes = 2 * (Number(heapBytes) || 0);
  }

  /** What it holds beyond what it held at its start. While nothing runs, that is garbage of former runs. */
  get #grownBytes(): number {
    const bytes = this.#process.memoryBytes?.() ?? 0;
    return Math.max(0, bytes - this.#freshBytes);
  }

  get #mostLeft(): number {
    return this.#options.memoryBytes * MOST_LEFT;
  }

  #watchMemory(memoryBytes: number): ReturnType<typeof setInterval> | undefined {
    if (!this.#process.memoryBytes) return undefined;
    // A run does not answer for the garbage of former ones.
    const allowed = memoryBytes + PROCESS_OVERHEAD_BYTES + Math.min(this.#grownBytes, this.#mostLeft);
    return setInterval(() => {
      const bytes = this.#process.memoryBytes?.() ?? 0;
      this.#heldBytes = bytes;
      if (bytes <= allowed) return;
      this.#channel.close(
        new LimitExceededError(
          `The run reached its memory limit of ${memoryBytes} bytes (its process held ${bytes}). Raise it with --memory-limit or limits.memoryBytes`,
          { limit: "memoryBytes", allowed: memoryBytes },
        ),
      );
    }, MEMORY_WATCH_MS);
  }

  #checkMessage(body: Encoded): void {
    const { messageBytes } = this.#options;
    const size = body.buffers.reduce((sum, buffer) => sum + buffer.length, body.text.length);
    if (size > messageBytes) {
      throw new LimitExceededError(
        `A message of ${size} bytes came from the UDF: at most ${messageBytes} are allowed`,
        {
          limit: "messageBytes",
          allowed: messageBytes,
        },
      );
    }
    if (!fitsAsObjects(body.text, 2 * messageBytes)) {
      throw new LimitExceededError(
        `A message from the UDF has too many lists and objects for limits.messageBytes (${messageBytes}): pass a table, an array or bytes`,
        { limit: "messageBytes", allowed: messageBytes },
      );
    }
  }

  #event(name: string, body: Encoded): void {
    const bytes = body.buffers[0];
    const stray = this.#task === null || (this.#task === "run" && !this.#begun);
    if (stray && ++this.#strayEvents > MAX_STRAY_EVENTS) {
      this.#channel.close(new IsolateError("The isolate kept sending events while nothing ran in it"));
      return;
    }
    if (name === "output" && bytes && (body.text === "stdout" || body.text === "stderr")) {
      this.#events?.output(body.text, bytes);
    } else if (name === "begun") {
      this.#begun = true;
    } else if (name === "idle") {
      const state = JSON.parse(body.text) as PutBack & { ms: number };
      this.restoreMs = Number(state.ms);
      this.#noteHeap(state.heapBytes);
      this.#reusable &&= state.reusable === true && this.#grownBytes <= this.#mostLeft;
      this.#endPutBack();
    } else {
      this.#channel.close(
        name === "fatal"
          ? fatalError(body.text, this.#task)
          : new IsolateError(`The isolate sent an unknown event ${name}`),
      );
    }
  }

  async #guarded(
    name: string,
    limit: "startMs" | "timeMs",
    allowed: number,
    signal: AbortSignal | undefined,
    body: Encoded,
  ): Promise<Encoded> {
    const cancelled = () =>
      new CancelledError(`The ${name === "run" ? "run" : "start of an isolate"} was cancelled`);
    if (signal?.aborted) {
      this.#channel.close(cancelled());
      throw cancelled();
    }
    const onAbort = () => this.#channel.close(cancelled());
    signal?.addEventListener("abort", onAbort, { once: true });
    const timeLimit = new TimeLimit(allowed, () => {
      this.#channel.close(
        new LimitExceededError(
          limit === "timeMs"
            ? `The run reached its time limit of ${allowed} ms and was ended. Raise it with --time-limit or limits.timeMs`
            : `The isolate did not start within ${allowed} ms`,
          { limit, allowed },
        ),
      );
    });
    this.#timeLimit = timeLimit;
    try {
      return await this.#channel.request(name, body);
    } finally {
      timeLimit.end();
      this.#timeLimit = null;
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

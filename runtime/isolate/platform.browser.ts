/**
 * Isolates in a page: a sandboxed frame of opaque origin each, and in it a worker without a network. The page keeps the clock: it
 * stops listening first, then has the worker terminated, then removes the frame.
 */
import type { Folder } from "../assets.ts";
import { decodeFrame, type Frame } from "../channel.ts";
import { IsolateError } from "../errors.ts";
import { once } from "../once.ts";
import type { IsolatePlatform, IsolateProcess, LaunchOptions } from "./platform.ts";
import type { FromRelay, ToRelay } from "./relay.browser.ts";

/** A frame that has loaded says so at once; one whose script was refused never does. */
const OPEN_MS = 15_000;
/** How long a frame may take to say that it has ended its worker, before it is removed with it. */
const KILL_MS = 500;
/** Some 16,000 frames a second: more than a run has use for, and few enough for the page to stay responsive. */
const CREDIT_GAP_MS = 16;
/** A frame's process can die without a word: it is asked now and then. */
const PING_MS = 4000;
/** So many questions in a row without an answer are the end. */
const MISSED_PINGS = 4;

export interface BrowserPlatformOptions {
  /** The folder with `isolate.html`. */
  own: Folder;
  /** A served copy of `isolate.html`, for pages whose Content-Security-Policy refuses the one made here. */
  isolateUrl?: string | undefined;
}

/** A view that owns its memory: cloning a view clones all that it looks at. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  return whole ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
}

/**
 * Assets as they are handed to frames: a handle costs the page nothing, where a copy of tens of megabytes would make it wait each time.
 * Each is made once for all isolates of a kind.
 */
const handles = new WeakMap<Uint8Array, Blob>();
function handleOf(bytes: Uint8Array): Blob {
  let handle = handles.get(bytes);
  if (!handle) handles.set(bytes, (handle = new Blob([bytes as Uint8Array<ArrayBuffer>])));
  return handle;
}

/** The frame in a message from an isolate. @throws IsolateError for anything else */
function readMessage(data: unknown, maxBytes: number): Frame {
  if (!(data instanceof ArrayBuffer)) throw new IsolateError("The isolate sent something that is no frame");
  if (data.byteLength > maxBytes) {
    throw new IsolateError(`A frame of ${data.byteLength} bytes came: at most ${maxBytes} are allowed`);
  }
  return decodeFrame(new Uint8Array(data));
}

/** What a frame says; anything else is the end of it. */
function readAnswer(data: unknown): FromRelay {
  const { did, message, sharedMemory } = (typeof data === "object" && data !== null ? data : {}) as Record<
    string,
    unknown
  >;
  if (did === "open") return { did, sharedMemory: sharedMemory === true };
  if (did === "kill" || did === "ping") return { did };
  return { did: "fail", message: did === "fail" ? String(message) : "its frame sent something unknown" };
}

/** A sandboxed frame with our relay, not yet in the page. */
function makeFrame(html: string | null, url: string | undefined): HTMLIFrameElement {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  // Without it a frame has no shared memory, even in a page that has. In other pages it changes nothing.
  frame.setAttribute("allow", "cross-origin-isolated");
  frame.setAttribute("referrerpolicy", "no-referrer");
  frame.setAttribute("aria-hidden", "true");
  frame.hidden = true;
  frame.tabIndex = -1;
  if (html === null) frame.src = String(url);
  else frame.srcdoc = html;
  return frame;
}

/** One frame and what is in it. */
class BrowserIsolate implements IsolateProcess {
  readonly port: IsolateProcess["port"];
  readonly gone: Promise<void>;
  readonly #frame: HTMLIFrameElement;
  readonly #relay: MessagePort;
  readonly #maxFrameBytes: number;
  /** Frames of the worker that there is now. */
  #frames: MessagePort | null = null;
  #closed = false;
  #removed: () => void = () => {};
  #pinging: ReturnType<typeof setInterval> | undefined;
  #missedPings = 0;

  constructor(frame: HTMLIFrameElement, relay: MessagePort, { maxFrameBytes }: LaunchOptions) {
    this.#frame = frame;
    this.#relay = relay;
    this.#maxFrameBytes = maxFrameBytes;
    this.gone = new Promise((resolve) => {
      this.#removed = resolve;
    });
    this.port = {
      post: (message) => this.#post(message),
      creditGapMs: CREDIT_GAP_MS,
      onFrame() {},
      onClose() {},
      close: () => this.kill(),
    };
    relay.onmessage = ({ data }) => this.#hear(readAnswer(data));
    this.#pinging = setInterval(() => this.#ping(), PING_MS);
  }

  provide({ name, kind, bytes }: Parameters<IsolateProcess["provide"]>[0]): void {
    this.#tell({ do: kind === "module" ? "module" : "asset", name, bytes: handleOf(bytes) });
  }

  script(text: string): void {
    this.#tell({ do: "script", text: `(${text})();` });
  }

  kill(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pinging);
    this.#hang();
    const remove = () => {
      clearTimeout(late);
      this.#relay.close();
      this.#frame.remove();
      this.#removed();
    };
    const late = setTimeout(remove, KILL_MS);
    this.#relay.onmessage = ({ data }) => {
      if (readAnswer(data).did === "kill") remove();
    };
    this.#relay.postMessage({ do: "kill" } satisfies ToRelay);
  }

  /** No message of the worker is heard after this, not even one that has arrived. */
  #hang(): void {
    if (!this.#frames) return;
    this.#frames.onmessage = null;
    this.#frames.close();
    this.#frames = null;
  }

  #tell(message: ToRelay, transfer: Transferable[] = []): void {
    if (!this.#closed) this.#relay.postMessage(message, transfer);
  }

  #post(message: Frame): void {
    const { kind, id, name, text } = message;
    // A fresh realm is a fresh worker, with compiled code and assets that the frame has kept.
    if (kind === "request" && (name === "start" || name === "renew")) this.#spawn(id, text);
    else this.#tell({ do: "frame", frame: { ...message, buffers: message.buffers.map(owned) } });
  }

  #spawn(id: number, text: string): void {
    this.#hang();
    const { port1, port2 } = new MessageChannel();
    this.#frames = port1;
    port1.onmessage = ({ data }) => {
      if (this.#frames !== port1) return;
      try {
        this.port.onFrame(readMessage(data, this.#maxFrameBytes));
      } catch (error) {
        this.#end(error as Error);
      }
    };
    port1.onmessageerror = () =>
      this.#end(new IsolateError("The isolate sent something that cannot be read"));
    this.#tell({ do: "spawn", id, text }, [port2]);
  }

  #hear(answer: FromRelay): void {
    if (answer.did === "ping") this.#missedPings = 0;
    if (answer.did === "fail") this.#end(new IsolateError(`The isolate failed: ${answer.message}`));
  }

  #ping(): void {
    if (this.#missedPings++ >= MISSED_PINGS) this.#end(new IsolateError("The isolate's process is gone"));
    else this.#tell({ do: "ping" });
  }

  #end(reason: Error): void {
    if (!this.#closed) this.port.onClose(reason);
  }
}

/** Puts a frame into the page and waits until its relay answers. */
async function launch(frame: HTMLIFrameElement, options: LaunchOptions): Promise<IsolateProcess> {
  const { port1, port2 } = new MessageChannel();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const opened = new Promise<FromRelay>((resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new IsolateError(
            "The isolate's frame does not answer. If this page has a Content-Security-Policy, serve isolate.html and name it in assets.isolateUrl",
          ),
        ),
      OPEN_MS,
    );
    frame.onload = () => frame.contentWindow?.postMessage(null, "*", [port2]);
    port1.onmessage = ({ data }) => resolve(readAnswer(data));
  });
  (document.body ?? document.documentElement).append(frame);
  try {
    const answer = await opened;
    if (answer.did !== "open")
      throw new IsolateError("The isolate's frame answered with something unexpected");
  } catch (error) {
    port1.close();
    frame.remove();
    throw error;
  } finally {
    clearTimeout(timer);
    frame.onload = null;
  }
  return new BrowserIsolate(frame, port1, options);
}

/** Isolates of the page that calls this. */
export function browserPlatform({ own, isolateUrl }: BrowserPlatformOptions): IsolatePlatform {
  const html = once(async () => new TextDecoder().decode(await own.read("isolate.html")));
  const canSuspend = "Suspending" in WebAssembly;
  return {
    name: "browser",
    capabilities: {
      processPerPrincipal: false,
      // Not crossOriginIsolated: WebKit says so without having shared memory.
      blockingCalls: canSuspend || typeof SharedArrayBuffer === "function",
      onDemandFiles: typeof SharedArrayBuffer === "function",
      totalMemoryBound: false,
      instantKill: false,
      // A page's end ends its workers, but WebKit's go on with a loop that they are in.
      endsOrphans: false,
      authenticatedCache: false,
      fileSystem: false,
    },
    snapshotFlavor: `browser-${canSuspend ? "suspending" : "plain"}`,
    async launch(options) {
      if (typeof document === "undefined") {
        throw new IsolateError("Cannot start an isolate here: it needs a page, and a worker has none");
      }
      if (isolateUrl !== undefined) return launch(makeFrame(null, isolateUrl), options);
      return launch(makeFrame(await html(), undefined), options);
    },
  };
}

/** The worker of an isolate in a page: stripped, furnished and frozen, and handed to a session that gets frames from here on. */
import { concat } from "../bytes.ts";
import { encodeFrameHead, type Frame, frameLength, readFrame } from "../channel.ts";
import { decodePack, type PackIndex } from "../engines/pyodide/pack.ts";
import { furnish, type Loan } from "./bare-realm.ts";
import { boundMemory } from "./bound-memory.ts";
import { freezeIntrinsics } from "./freeze.ts";
import { ROOM, type WorkerStart } from "./relay.browser.ts";
import { RingReader } from "./ring.ts";
import { type OpenEngine, openSession } from "./session.ts";
import { strip } from "./strip.browser.ts";

/** The most that the platform's random source fills at once. */
const RANDOM_BYTES = 65536;

/** What the realm borrows of the platform, taken before the globals go. Same realm: nothing needs to be adopted. */
function borrow(): Loan {
  const now = performance.now.bind(performance);
  const fillRandom = crypto.getRandomValues.bind(crypto);
  const schedule = setTimeout.bind(globalThis);
  const unschedule = clearTimeout.bind(globalThis);
  const encoder = new TextEncoder();
  const NativeTextDecoder = TextDecoder;
  const decoders = new Map<string, TextDecoder>();
  const { port1, port2 } = new MessageChannel();
  const immediate: (() => void)[] = [];
  port1.onmessage = () => immediate.shift()?.();
  return {
    now,
    random(into) {
      for (let at = 0; at < into.length; at += RANDOM_BYTES)
        fillRandom(into.subarray(at, at + RANDOM_BYTES) as Uint8Array<ArrayBuffer>);
    },
    setTimeout: (callback, ms) => Number(schedule(callback, ms)),
    clearTimeout: (id) => unschedule(id),
    setImmediate(callback) {
      immediate.push(callback);
      port2.postMessage(null);
    },
    encode: (text, into) => encoder.encodeInto(text, into).written,
    decode(bytes, encoding, fatal) {
      const key = `${encoding}${fatal}`;
      let decoder = decoders.get(key);
      if (!decoder) decoders.set(key, (decoder = new NativeTextDecoder(encoding, { fatal })));
      return decoder.decode(bytes as Uint8Array<ArrayBuffer>);
    },
  };
}

/** Compiled dynamic libraries of the package archive. */
function openLibraries(packages: ArrayBuffer | undefined): (path: string) => WebAssembly.Module | undefined {
  const index: PackIndex = packages ? decodePack(new Uint8Array(packages)) : {};
  const compiled = new Map<string, WebAssembly.Module>();
  return (path) => {
    const place = index[path];
    const known = compiled.get(path);
    if (known || !place) return known;
    const module = new WebAssembly.Module(new Uint8Array(packages as ArrayBuffer, ...place));
    compiled.set(path, module);
    return module;
  };
}

/** How frames go out and come in: blocking from the ring where there is one, else by message only. */
function connect({ port, ring }: WorkerStart, makeRoom: () => void) {
  const post = port.postMessage.bind(port);
  let framesRead = 0;
  let bellsRung = 0;
  const reader = ring && new RingReader(ring, makeRoom);
  const receive =
    reader &&
    ((): Frame => {
      const lengthField = new Uint8Array(4);
      framesRead++;
      reader.read(lengthField);
      return readFrame(frameLength(lengthField), (into) => reader.read(into));
    });
  return {
    port: {
      /** One buffer a frame: the page takes nothing else, so it has nothing else to check. */
      post(frame: Frame): void {
        // A message has a length of its own.
        const { buffer } = concat([encodeFrameHead(frame).subarray(4), ...frame.buffers]);
        post(buffer, [buffer]);
      },
      receive,
    },
    /** A message from the document: a frame, or the bell of one that may have been read blocking already. */
    arrive(message: unknown, deliver: (frame: Frame) => void): void {
      if (!receive) deliver(message as Frame);
      else bellsRung++;
      while (receive && framesRead < bellsRung) deliver(receive());
    },
  };
}

function open(start: WorkerStart, openEngine: OpenEngine, tellDocument: (message: unknown) => void) {
  const end = close.bind(globalThis);
  const loan = borrow();
  strip();
  const dropTimers = furnish(loan);
  const limitMemory = boundMemory();
  freezeIntrinsics();
  const { port, arrive } = connect(start, () => tellDocument(ROOM));
  const deliver = openSession(
    {
      port,
      now: loan.now,
      random: loan.random,
      bytes: (name) => start.bytes[name],
      module: (name) => start.modules[name],
      library: openLibraries(start.bytes.packages),
      codeCache: () => undefined,
      limitMemory,
      dropTimers,
      rest() {},
      renew() {
        throw new TypeError("A worker is replaced from outside");
      },
      exit: end,
    },
    openEngine,
    start.id,
    start.text,
  );
  return (message: unknown) => arrive(message, deliver);
}

/** Makes the function that the worker's script calls when it has been loaded. */
export function workerStart(openEngine: OpenEngine): () => void {
  return () => {
    const tellDocument = postMessage.bind(globalThis) as (message: unknown) => void;
    let receive: ((message: unknown) => void) | undefined;
    addEventListener("message", ({ data }) => {
      if (receive) receive(data);
      else receive = open(data as WorkerStart, openEngine, tellDocument);
    });
    // As in Node, where such a rejection ends the process: the engine is in a state that nobody foresaw.
    addEventListener("unhandledrejection", (event) => {
      throw event.reason;
    });
  };
}

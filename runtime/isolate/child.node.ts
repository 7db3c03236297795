/**
 * The main realm of a child process: it owns the pipes, keeps the assets, and makes bare realms. It runs before any
 * untrusted code and gives itself up: after `scrub` nothing that is reachable from its globals leaves the process.
 * It is passed to node with `-e`, so that the child needs not even the right to read its own source.
 */
import { frameLength, readFrame } from "../channel.ts";
import { decodePack, type PackIndex } from "../engines/pyodide/pack.ts";
import type { Outer } from "./outer.ts";
import { scrub } from "./scrub.node.ts";

declare const require: (name: string) => unknown;
const fs = require("node:fs") as typeof import("node:fs");
const vm = require("node:vm") as typeof import("node:vm");
/** process.exit would wait for the thread that waits for the bell. */
const exit = (process as unknown as { _kill(pid: number, signal: number): never })._kill.bind(
  process,
  process.pid,
  9,
);
const now = performance.now.bind(performance);
/** Bytes of memory that this process holds. */
const resident = process.memoryUsage.rss;

/** The pipe with the frames, both ways. */
const DATA = 3;
/** A byte a frame: something to wait for without taking the frames from whoever reads blocking. */
const BELL = 4;
/** The kernel's source of random bytes, opened by the host: Node's own module for them takes 10 ms to load. */
const RANDOM = 5;

process.on("uncaughtException", (error) => {
  fs.writeSync(2, String(error?.stack ?? error));
  exit();
});

/** Realms hold much memory that V8 does not see as such: after so many that were left, they are collected once there is time. */
const REALMS_BETWEEN_COLLECTIONS = 4;
/** With so much more memory than at the first rest, a new realm has to wait for a collection. */
const MAX_GROWTH = 512 * 1024 * 1024;
let realmsLeft = 0;
let residentAtRest = 0;
let collectGarbage = () => {};

/**
 * V8 compiles a function anew, and well, once it has run so many bytes of code. In an isolate that is started ahead this should be over
 * before the first run, which it would disturb.
 */
const [BUDGET, WARM_BUDGET] = [13_000_000, 200_000];
const isWarm = process.argv.includes("warm");
/** Only a process that lives on needs the module, which takes a while to load. */
const setFlag = (flag: string) => (require("node:v8") as typeof import("node:v8")).setFlagsFromString(flag);

/** Compiles; a module takes its functions' budget from the flag as it is then. Other flags than its writer's would void the code cache. */
function compile(bytes: BufferSource): WebAssembly.Module {
  if (!isWarm) return new WebAssembly.Module(bytes);
  setFlag(`--wasm-tiering-budget=${WARM_BUDGET}`);
  const module = new WebAssembly.Module(bytes);
  setFlag(`--wasm-tiering-budget=${BUDGET}`);
  return module;
}

let framesRead = 0;
let bellsRung = 0;

/** Where there is no such source, the host names the module; its name in this text would be enough to have it loaded. */
const randomModule = process.argv.find((word) => word.startsWith("node:"));
const random: (into: Uint8Array) => void = randomModule
  ? (require(randomModule) as typeof import("node:crypto")).randomFillSync
  : readRandom;

/** Unlike on the pipe, a failure here is whoever's who asked: the end of the stack, an argument that is no array. */
function readRandom(into: Uint8Array): void {
  for (let at = 0; at < into.length; ) {
    const count = fs.readSync(RANDOM, into, at, into.length - at, null);
    if (count === 0) exit();
    at += count;
  }
}

function read(into: Uint8Array): void {
  let at = 0;
  while (at < into.length) {
    try {
      const count = fs.readSync(DATA, into, at, Math.min(into.length - at, 1 << 26), null);
      if (count === 0) exit();
      at += count;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") exit();
    }
  }
}

function write(from: Uint8Array): void {
  let at = 0;
  while (at < from.length) {
    try {
      at += fs.writeSync(DATA, from, at, Math.min(from.length - at, 1 << 26));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") exit();
    }
  }
}

function beginFrame(): number {
  framesRead++;
  const lengthField = new Uint8Array(4);
  read(lengthField);
  return frameLength(lengthField);
}

const assets = new Map<string, ArrayBuffer | WebAssembly.Module>();
const libraries = new Map<string, WebAssembly.Module>();
/** Where each file lies in the asset `packages`. */
let packageIndex: PackIndex = {};
let realmScript: import("node:vm").Script | undefined;
let readable: (() => void) | undefined;
const timers = new Map<number, NodeJS.Timeout>();
let lastTimer = 0;
const decoders = new Map<string, TextDecoder>();
const encoder = new TextEncoder();

const outer: Outer = {
  beginFrame,
  read,
  write,
  now,
  random: (into) => void random(into),
  setTimeout(callback, ms) {
    const id = ++lastTimer;
    timers.set(
      id,
      setTimeout(() => {
        timers.delete(id);
        callback();
      }, ms),
    );
    return id;
  },
  clearTimeout(id) {
    clearTimeout(timers.get(id));
    timers.delete(id);
  },
  setImmediate: (callback) => void setImmediate(callback),
  encode: (text, into) => encoder.encodeInto(text, into).written,
  decode(bytes, encoding, fatal) {
    const key = `${encoding}${fatal}`;
    let decoder = decoders.get(key);
    if (!decoder) decoders.set(key, (decoder = new TextDecoder(encoding, { fatal })));
    return decoder.decode(bytes);
  },
  asset: (name) => assets.get(name),
  library(path) {
    const known = libraries.get(path);
    const place = packageIndex[path];
    if (known || !place) return known;
    const module = compile(new Uint8Array(assets.get("packages") as ArrayBuffer, ...place));
    libraries.set(path, module);
    return module;
  },
  codeCache() {
    const cache = (realmScript as import("node:vm").Script).createCachedData();
    return cache.buffer.slice(cache.byteOffset, cache.byteOffset + cache.length) as ArrayBuffer;
  },
  rest() {
    const seen = framesRead;
    setImmediate(() => {
      // A bell may have been quicker, and what it brought under way must not be blocked.
      if (framesRead !== seen) return;
      if (realmsLeft >= REALMS_BETWEEN_COLLECTIONS) collectGarbage();
      residentAtRest ||= resident();
      readable?.();
    });
  },
  renew(id, text) {
    realmsLeft++;
    readable = undefined;
    // Nothing of the old realm is on the stack then, or it would not be collected.
    setImmediate(() => {
      if (resident() > residentAtRest + MAX_GROWTH) collectGarbage();
      openRealm(id, text);
    });
  },
  exit: () => exit(),
};

/** V8's collector, of which contexts that are made later know nothing. */
function openCollector(): () => void {
  setFlag("--expose-gc");
  const collect = vm.runInNewContext("gc") as () => void;
  setFlag("--no-expose-gc");
  return () => {
    collect();
    realmsLeft = 0;
  };
}

function openRealm(id: number, text: string): void {
  for (const timer of timers.values()) clearTimeout(timer);
  timers.clear();
  const context = vm.createContext(Object.create(null), {
    name: "isolate",
    codeGeneration: { strings: false, wasm: true },
  });
  const start = (realmScript as import("node:vm").Script).runInContext(context) as (
    outer: Outer,
    id: number,
    text: string,
  ) => () => void;
  readable = start(outer, id, text);
}

/** Frames before the realm exists: assets, the realm's script, the start. */
function readStartFrame(): void {
  const frame = readFrame(beginFrame(), read);
  const bytes = frame.buffers[0] as Uint8Array<ArrayBuffer>;
  switch (frame.name) {
    case "asset":
      assets.set(frame.text, bytes.buffer);
      if (frame.text === "packages") packageIndex = decodePack(bytes);
      break;
    case "module":
      assets.set(frame.text, compile(bytes));
      break;
    case "realm":
      // A cache that V8 rejects (made under other flags) is as good as none.
      realmScript = new vm.Script(frame.text, {
        filename: "isolate",
        ...(bytes ? { cachedData: bytes } : {}),
      });
      break;
    case "start":
      if ((JSON.parse(frame.text) as { reusable?: boolean }).reusable) collectGarbage = openCollector();
      scrub();
      openRealm(frame.id, frame.text);
      break;
    default:
      exit();
  }
}

function listen(): void {
  const bells = new Uint8Array(256);
  fs.read(BELL, bells, 0, bells.length, null, (error, count) => {
    if (error || count === 0) exit();
    bellsRung += count;
    listen();
    while (framesRead < bellsRung) (readable ?? readStartFrame)();
  });
}
listen();

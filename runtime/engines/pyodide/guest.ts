/** The Pyodide engine inside the isolate: boots the interpreter, cold or from a snapshot, and runs Python UDFs through the package `fused`. */

import type { OpenEngine, SessionPlatform, StartOptions } from "../../isolate/session.ts";
import { decodeSnapshot, encodeSnapshot, restoreSnapshot, type Snapshot } from "../../isolate/snapshot.ts";
import type { Encoded } from "../../value.ts";
import type { GuestEngine, GuestHost, GuestLimits } from "../guest.ts";
import type { GlueHooks } from "./glue.ts";
import { type HostFiles, openHostFiles } from "./host-files.ts";
import { type CallStorage, openHostFolder } from "./host-folder.ts";
import {
  isSharedLibrary,
  type LibraryRecord,
  recordLibraries,
  replayLibraries,
  trackSymbols,
} from "./libraries.ts";
import { type Baseline, captureBaseline } from "./memory.ts";
import type { FileSystem, FsNode, Pyodide, PyodideModule, PyProxy } from "./module.ts";
import { findOpenFiles, type OpenFile, reopenFiles } from "./open-files.ts";
import { decodePack } from "./pack.ts";

/** What the host tells the engine beside the session's own options. */
export interface PyodideStartOptions extends StartOptions {
  /** `[3, 14]` */
  pythonVersion: [number, number];
  /** The lock file's `info`. */
  lockInfo: Record<string, unknown>;
  /** Modules that a snapshot holds already imported. */
  imports: readonly string[];
  /** Modules of packages that it holds as well, where they can be imported. */
  packageImports: readonly string[];
  /** True: boot cold and answer with a snapshot. */
  makeSnapshot: boolean;
  /**
   * True: Python looks at the time now and then, so that a run whose host is gone ends itself. Loops take a tenth longer then, making
   * texts of numbers five times as long.
   */
  watchesClock: boolean;
}

interface SnapshotMetadata {
  hiwire: string;
  libraries: LibraryRecord;
  openFiles: OpenFile[];
}

export type GlueFactory = (hooks: GlueHooks) => {
  loadPyodide(options: object): Promise<Pyodide>;
  createPyodideModule: unknown;
};

/**
 * Python that takes the doors into JavaScript away: user code has no use for them and they lead into the glue's state, which no
 * restoring of memory reaches. A stand-in keeps the one setting that asyncio.run asks for.
 */
const CLOSE_DOORS = `
def _close():
    import sys, types
    from _pyodide import _importhook
    api = sys.modules.get("pyodide_js._api")
    config = types.SimpleNamespace(enableRunUntilComplete=bool(getattr(getattr(api, "config", None), "enableRunUntilComplete", False)))
    for name in list(sys.modules):
        if name.partition(".")[0] in ("js", "pyodide_js"):
            del sys.modules[name]
    sys.modules["pyodide_js._api"] = types.ModuleType("pyodide_js._api")
    sys.modules["pyodide_js._api"].config = config
    loader = sys.modules.get("pyodide._package_loader")
    if loader is not None:
        loader.loadedPackages = types.SimpleNamespace()
    sys.meta_path[:] = [finder for finder in sys.meta_path if "Js" not in type(finder).__name__]
    _importhook.jsfinder.jsproxies.clear()
_close()
del _close
`;

/** Replies of so many characters come in pieces of bytes: Pyodide 0.27 takes a text over character by character, 2 MB a second. */
const LONG = 200_000;
const PIECE = 1_000_000;

/** Where a server has its team's files: a UDF that has this in its code or its parameters finds them there. */
const HOST_FOLDER = "/mount";

const ENTRY = `
def _fuselet_entry(LONG=${LONG}, PIECE=${PIECE}):
    import fused._guest as guest
    import fused._host as host
    import sys
    from os import urandom
    run, prepare, inspect = guest.run, guest.prepare, guest.inspect
    long = ""
    def call(text, buffers=()):
        nonlocal long
        reply = run(text, [buffer.to_py() for buffer in buffers])
        if type(reply) is not str or len(reply) < LONG:
            return reply
        long = reply
        return len(reply)
    def piece(start):
        return f"-{long[start:start + PIECE]}".encode(errors="replace")
    def results():
        return guest.result_buffers
    def reseed():
        modules = sys.modules
        if "random" in modules:
            modules["random"].seed(int.from_bytes(urandom(32)))
        if "numpy.random" in modules:
            modules["numpy.random"].seed(memoryview(urandom(32)).cast("I"))
    return [prepare, call, inspect, results, host.connect, reseed, piece]
_fuselet_entry()
`;

/** Synchronous Python that waits for asynchronous Python: the stack has to be switched. */
const WAITS_SYNCHRONOUSLY =
  /asyncio\.run\b|asyncio import [^\\]*\brun\b|run_until_complete|run_sync|\bRunner\b/;

/** Python that may call the host: where nothing can block, the stack is suspended meanwhile. */
const CALLS_HOST =
  /\bfused\.(?!udf\b|types\b)\w|\bfused import (?!udf\b)|\bfused as\b|\b(urllib|http\.client|requests|urllib3|httpx|fsspec|pandas|geopandas|pyarrow|xarray|socket|pyodide\.http)\b/;

/** After so many, V8 has seen what is called often and compiles it (child.node.ts). */
const WARM_RUNS = 100;
const WARM_UDF = JSON.stringify({
  udf: {
    name: "warm",
    file: "warm.py",
    headers: [],
    entrypoint: null,
    code: "import fused\n@fused.udf\ndef udf(n: int = 3):\n    try:\n        raise ValueError(n)\n    except ValueError as e:\n        return {'a': [i * 0.5 for i in range(n)], 'b': str(e)}\n",
  },
  parameters: "{}",
  tile: null,
});

/** What Python finds in a folder and a file that it may read and write. */
const FOLDER_MODE = 0o40777;
const FILE_MODE = 0o100777;

/** Makes the files of a pack, without copies. Node by node: looking the path of each up takes longer than all the rest. */
function mountPackages(FS: FileSystem, pack: Uint8Array): void {
  const { MEMFS } = FS.filesystems;
  const folders = new Map<string, FsNode>([["", FS.root]]);
  const folderAt = (path: string): FsNode => {
    const known = folders.get(path);
    if (known) return known;
    const slash = path.lastIndexOf("/");
    const parent = folderAt(path.slice(0, slash));
    const name = path.slice(slash + 1);
    const there = (parent.contents as Record<string, FsNode>)[name];
    const folder = there ?? MEMFS.createNode(parent, name, FOLDER_MODE, 0);
    folders.set(path, folder);
    return folder;
  };
  for (const [path, [offset, length]] of Object.entries(decodePack(pack))) {
    const slash = path.lastIndexOf("/");
    const file = MEMFS.createNode(folderAt(path.slice(0, slash)), path.slice(slash + 1), FILE_MODE, 0);
    file.contents = pack.subarray(offset, offset + length);
    file.usedBytes = length;
  }
}

/** Tells the host when a run has gone on past its deadline: the way to end what nothing else stops because its host is gone. */
class Watch {
  deadline = Number.POSITIVE_INFINITY;
  readonly #host: GuestHost;
  constructor(host: GuestHost) {
    this.#host = host;
  }
  /** The time. The interpreter asks for it while it sleeps; see also `watchLoops`. */
  now(): number {
    const now = this.#host.now();
    if (now > this.deadline) this.#host.fatal("the run went on past its deadline");
    return now;
  }
}

/** Overwrites what is free with zeros: garbage would be in every snapshot, and be put back after every run. */
function clearFreeMemory(module: PyodideModule): void {
  const held: number[] = [];
  for (const size of [65536, 16384, 4096, 1024]) {
    const end = module._sbrk(0);
    for (let pointer = 1; pointer !== 0 && module._sbrk(0) === end; ) {
      pointer = module._calloc(1, size);
      held.push(pointer);
    }
  }
  for (const pointer of held) module._free(pointer);
}

async function boot(
  options: PyodideStartOptions,
  platform: SessionPlatform,
  glue: GlueFactory,
  watch: Watch,
): Promise<{ pyodide: Pyodide; snapshot: Uint8Array | null }> {
  const [major, minor] = options.pythonVersion;
  const sitePackages = `/lib/python${major}.${minor}/site-packages`;
  const packBytes = platform.bytes("packages");
  const pack = packBytes ? new Uint8Array(packBytes) : null;
  const snapshotBytes = options.makeSnapshot ? undefined : platform.bytes("snapshot");
  const snapshot: Snapshot<SnapshotMetadata> | null = snapshotBytes
    ? decodeSnapshot(new Uint8Array(snapshotBytes))
    : null;
  const library = (path: string) => platform.library(path);
  const recorder = options.makeSnapshot ? recordLibraries() : null;
  const replayer = snapshot ? replayLibraries(snapshot.metadata.libraries, library) : null;
  const lock = { info: options.lockInfo, packages: {} };
  const core = platform.module("core") as WebAssembly.Module;
  const noHooks = {
    libraryMemory: (size: number, allocate: (size: number) => number) => allocate(size),
    libraryModule: library,
  };

  const { loadPyodide, createPyodideModule } = glue({
    async fetch(url) {
      const name =
        String((url as { href?: string }).href ?? url)
          .split("/")
          .pop() ?? "";
      const bytes = name === "python_stdlib.zip" ? platform.bytes("stdlib") : new ArrayBuffer(0);
      // The loader owns what it gets and mounts it: it gets a copy.
      return {
        ok: bytes !== undefined,
        arrayBuffer: async () => (bytes as ArrayBuffer).slice(0),
        json: async () => lock,
      };
    },
    refuseImport(specifier) {
      throw new TypeError(`Cannot import ${String(specifier)}: an isolate loads no modules`);
    },
    async instantiate(_source, imports) {
      return { module: core, instance: await WebAssembly.instantiate(core, imports) };
    },
    ...trackSymbols(),
    ...(recorder?.hooks ?? replayer?.hooks ?? noHooks),
    restore(moduleObject) {
      const module = moduleObject as PyodideModule;
      const saved = snapshot as Snapshot<SnapshotMetadata>;
      const missing = saved.length - module.HEAP8.length;
      if (missing > 0 && !module._emscripten_resize_heap(saved.length)) {
        throw new Error(`Cannot grow memory to the ${saved.length} bytes of the snapshot`);
      }
      const end = replayer?.load(module) ?? 0;
      restoreSnapshot(saved, new Uint8Array(module.HEAP8.buffer), Math.max(end, module._sbrk(0) >>> 0));
    },
    initialMemory: (length) => snapshot?.length ?? length,
    now: () => watch.now(),
    maximumPages: Math.floor(options.memoryBytes / 65536),
  });

  const pyodide = await loadPyodide({
    indexURL: "file:///isolate/",
    createPyodideModule,
    jsglobals: Object.create(null),
    lockFileContents: lock,
    env: { HOME: "/home/pyodide", PYTHONDONTWRITEBYTECODE: "1", LANG: "C.UTF-8" },
    fsInit: async (FS: FileSystem) => {
      FS.mkdirTree(sitePackages);
      // Pyodide notes what it finds installed, and a snapshot may not hold such notes.
      if (pack && !options.makeSnapshot) mountPackages(FS, pack);
    },
    stdout() {},
    stderr() {},
    ...(options.makeSnapshot ? { _makeSnapshot: true } : {}),
    ...(snapshot
      ? { _loadSnapshot: decodeHiwire(snapshot.metadata.hiwire), _snapshotDeserializer: () => null }
      : {}),
  });

  if (!options.makeSnapshot) {
    if (snapshot) reopenFiles(pyodide.FS, snapshot.metadata.openFiles);
    return { pyodide, snapshot: null };
  }
  recorder?.start(pyodide._module);
  if (pack) {
    mountPackages(pyodide.FS, pack);
    // The loader does not look for what an extension module needs beside it: it must be there before.
    for (const path of Object.keys(decodePack(pack)).filter(isSharedLibrary)) {
      await pyodide._api.loadDynlib(path, false, [path.slice(0, path.lastIndexOf("/"))]);
    }
  }
  pyodide.runPython(
    [
      "import importlib\nimportlib.invalidate_caches()",
      ...options.imports.map((name) => `import ${name}`),
      // A package that cannot be imported fails in the UDF that imports it, with its own error.
      ...options.packageImports.map((name) => `try:\n  import ${name}\nexcept BaseException:\n  pass`),
      "import gc\ngc.collect()\nNone",
    ].join("\n"),
  );
  clearFreeMemory(pyodide._module);
  const libraries = (recorder as ReturnType<typeof recordLibraries>).finish(pyodide._module);
  const file = pyodide.makeMemorySnapshot({ serializer: () => null });
  const start = new Uint32Array(file.buffer, file.byteOffset, 2)[1] as number;
  const metadata: SnapshotMetadata = {
    hiwire: encodeHiwire(file.subarray(0, start)),
    libraries,
    openFiles: findOpenFiles(pyodide.FS),
  };
  return { pyodide, snapshot: encodeSnapshot(file.subarray(start), metadata) };
}

/** Pyodide's own head of a snapshot (its table of references), as text for the metadata. */
function encodeHiwire(head: Uint8Array): string {
  let text = "";
  for (const byte of head) text += String.fromCharCode(byte);
  return text;
}
function decodeHiwire(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Opens the engine with the glue that stands in front of this bundle. */
export function pyodideEngine(glue: GlueFactory): OpenEngine {
  return async (startOptions, platform, host) => {
    const options = startOptions as PyodideStartOptions;
    const started = host.now();
    const watch = new Watch(host);
    const { pyodide, snapshot } = await boot(options, platform, glue, watch);
    if (snapshot) {
      return {
        engine: unusable(),
        report: { bootMs: host.now() - started },
        buffers: [snapshot, new Uint8Array(platform.codeCache() ?? new ArrayBuffer(0))],
      };
    }
    pyodide._api.on_fatal = (error) => host.fatal(String(error));
    pyodide.runPython(CLOSE_DOORS);
    freezeLoans(pyodide);
    connectStreams(pyodide, host);
    if (options.watchesClock) watchLoops(pyodide, watch);
    const engine = openEngine(pyodide, host, watch, options.reusable);
    if (options.warm) await engine.warm();
    return {
      engine,
      report: {
        bootMs: host.now() - started,
        version: pyodide.version,
        heapBytes: pyodide._module.HEAP8.length,
      },
      buffers: [],
    };
  };
}

/** Freezes a value and all that it leads to. What is frozen already, as the intrinsics are, leads nowhere new; of `Error`, one property must stay writable. */
function freezeDeep(value: unknown): void {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return;
  if (value === Error || Object.isFrozen(value)) return;
  Object.freeze(value);
  freezeDeep(Reflect.getPrototypeOf(value));
  for (const { value: held, get, set } of Object.values(Object.getOwnPropertyDescriptors(value))) {
    for (const next of [held, get, set]) freezeDeep(next);
  }
}

/** What Python still holds of JavaScript can be called but keeps nothing: a property that one run sets, the next would find. */
function freezeLoans(pyodide: Pyodide): void {
  freezeDeep(pyodide._api.scheduleCallback);
  for (const value of Object.values(pyodide.ffi)) if (typeof value === "function") freezeDeep(value);
  // The classes of proxies are made when a kind of Python object is first handed over.
  const { getPyProxyClass } = pyodide._module;
  pyodide._module.getPyProxyClass = (flags) => {
    const made = getPyProxyClass(flags);
    freezeDeep(made);
    return made;
  };
}

/** A realm that made a snapshot serves no runs. */
function unusable(): GuestEngine {
  const refuse = () => {
    throw new Error("This isolate only makes a snapshot");
  };
  return { run: refuse, inspect: refuse, putBack: refuse };
}

function connectStreams(pyodide: Pyodide, host: GuestHost): void {
  const writer = (stream: "stdout" | "stderr") => ({
    write(bytes: Uint8Array) {
      host.output(stream, bytes);
      return bytes.length;
    },
    isatty: false,
  });
  pyodide.setStdout(writer("stdout"));
  pyodide.setStderr(writer("stderr"));
  pyodide.setStdin({ stdin: () => null });
}

/** The bytes of a Python list of buffers, as views on the heap: good until Python runs again. */
function viewBuffers(list: PyProxy): Uint8Array[] {
  const { length, get } = list as unknown as { length: number; get(index: number): PyProxy };
  return Array.from({ length }, (_, index) => {
    const view = get.call(list, index).getBuffer("u8");
    const { data } = view;
    // The list keeps the buffer alive; the view would only keep it locked.
    view.release();
    return data;
  });
}

/** A text that Python holds, of so many characters. */
function readLong(piece: PyProxy, length: number): string {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for (let at = 0; at < length; at += PIECE) {
    const bytes = piece(at) as PyProxy;
    const view = bytes.getBuffer("u8");
    // One character stands before each piece: a decoder takes a mark of the byte order away that a text begins with.
    parts.push(decoder.decode(view.data).slice(1));
    view.release();
    bytes.destroy();
  }
  return parts.join("");
}

/** Files of the host, where this platform can wait for them in the middle of a read; the bindings `files` and `storage` answer. */
function connectFiles(
  pyodide: Pyodide,
  { callBlocking, now }: GuestHost,
): { files: HostFiles; folder: ReturnType<typeof openHostFolder> } | null {
  if (!callBlocking) return null;
  const ask = (method: string, args: readonly number[]) =>
    callBlocking("files", method, { text: JSON.stringify(args), buffers: [] });
  const files = openHostFiles(
    pyodide,
    (file, position, length) => {
      const { text, buffers } = ask("read", [file, position, length]);
      const [bytes] = buffers;
      if (!text.startsWith('{"ok":true') || !bytes)
        throw new Error(`The host did not read the file: ${text}`);
      return bytes;
    },
    (file) => void ask("close", [file]),
  );
  const call: CallStorage = (method, args, bytes) => {
    const all = bytes ? [...args, { $: "bytes", b: 0 }] : args;
    const buffers = bytes ? [bytes] : [];
    return JSON.parse(callBlocking("storage", method, { text: JSON.stringify(all), buffers }).text);
  };
  return { files, folder: openHostFolder(pyodide, HOST_FOLDER, { call, files, now }) };
}

/** Lends `fused._host` its doors. What crosses is text and copied bytes. */
function connectHost(connect: PyProxy, host: GuestHost, files: HostFiles | undefined): void {
  const split = (name: string): [string, string] => {
    const dot = name.indexOf(".");
    return [name.slice(0, dot), name.slice(dot + 1)];
  };
  const { callBlocking } = host;
  const blocking = callBlocking
    ? (name: string, text: string, list: PyProxy) => {
        const reply = callBlocking(...split(String(name)), {
          text: String(text),
          buffers: viewBuffers(list),
        });
        return [reply.text, reply.buffers];
      }
    : undefined;
  const asynchronous = async (name: string, text: string, list: PyProxy) => {
    const reply = await host.call(...split(String(name)), { text: String(text), buffers: viewBuffers(list) });
    return [reply.text, reply.buffers];
  };
  const addFile = files
    ? (path: string, file: number, size: number) =>
        files.add(String(path), { file: Number(file), size: Number(size) })
    : undefined;
  for (const door of [blocking, asynchronous, addFile]) if (door) Object.freeze(door);
  connect(blocking, asynchronous, "this platform cannot block", addFile);
}

/** Python looks for signals now and then while it runs: it is told that there is none, and the time is looked at. */
function watchLoops(pyodide: Pyodide, watch: Watch): void {
  pyodide.setInterruptBuffer({
    get 0() {
      watch.now();
      return 0;
    },
    set 0(_signal: number) {},
  });
}

function openEngine(
  pyodide: Pyodide,
  host: GuestHost,
  watch: Watch,
  reusable: boolean,
): GuestEngine & { warm(): Promise<void> } {
  const entry = pyodide.runPython(ENTRY) as PyProxy;
  const part = (index: number) => (entry as unknown as { get(index: number): PyProxy }).get(index);
  const [prepare, call, inspect, results, connect, reseed, piece] = [0, 1, 2, 3, 4, 5, 6].map(part) as [
    PyProxy,
    PyProxy,
    PyProxy,
    PyProxy,
    PyProxy,
    PyProxy,
    PyProxy,
  ];
  const ofHost = connectFiles(pyodide, host);
  connectHost(connect, host, ofHost?.files);
  // After a snapshot, and after memory was put back, every run would draw the same numbers. The hash seed stays as it was frozen.
  reseed();
  // V8 12 (Node 22) has it under an earlier name.
  const canSuspend = "Suspending" in WebAssembly || "Suspender" in WebAssembly;
  /** Whether the prepared UDF is entered through a promise, which costs time and cannot be put back in place. */
  let suspends = false;
  const startBytes = pyodide._module.HEAP8.length;
  const baseline: Baseline | null = reusable ? captureBaseline(pyodide, host.random) : null;
  let prepared: string | null = null;
  let keptPrepared: string | null = null;
  /** Whether the prepared UDF has it in its code. */
  let namesFolder = false;
  /** The answer to a UDF that could not be loaded: it is the answer to each of its runs. */
  let unloadable: string | null = null;

  const execute = async (request: Encoded): Promise<Encoded> => {
    // An empty list would have to be made a proxy, too.
    const args = request.buffers.length > 0 ? [request.text, request.buffers] : [request.text];
    const answer: unknown = suspends ? await call.callPromising(...args) : call(...args);
    const text =
      typeof answer === "number"
        ? readLong(piece, answer)
        : typeof answer === "string"
          ? answer
          : await (answer as Promise<string>);
    // Buffers are named by tags.
    return { text, buffers: text.includes('"$"') ? viewBuffers(results() as PyProxy) : [] };
  };

  return {
    async run(request, limits: GuestLimits) {
      watch.deadline = limits.deadline;
      const udf = request.text.startsWith('{"udf":null') ? null : request.text;
      if (udf !== null) {
        const answer = prepare(udf) as string;
        unloadable = answer.startsWith('{"ok": true') || answer.startsWith('{"ok":true') ? null : answer;
      }
      if (unloadable !== null) return { text: unloadable, buffers: [] };
      if (udf !== null) {
        prepared = udf;
        namesFolder = udf.includes(HOST_FOLDER) && JSON.stringify(JSON.parse(udf).udf).includes(HOST_FOLDER);
        suspends =
          canSuspend && (WAITS_SYNCHRONOUSLY.test(udf) || (!host.callBlocking && CALLS_HOST.test(udf)));
      }
      if (namesFolder || request.text.includes(HOST_FOLDER)) ofHost?.folder.mount();
      return await execute(request);
    },
    inspect: (request) => ({ text: inspect(request.text) as string, buffers: [] }),
    putBack() {
      watch.deadline = Number.POSITIVE_INFINITY;
      const heapBytes = pyodide._module.HEAP8.length;
      if (suspends) return { reusable: false, reason: "the run could suspend its stack", heapBytes };
      if (!baseline) return { reusable: false, reason: "the isolate serves one run", heapBytes };
      if (heapBytes > startBytes * 2 + 64 * 1024 * 1024) {
        return { reusable: false, reason: `memory grew to ${heapBytes} bytes`, heapBytes };
      }
      try {
        baseline.restore();
        ofHost?.files.forget();
        ofHost?.folder.forget();
        if (prepared !== keptPrepared && prepared !== null) {
          // The UDF is compiled once, in clean memory, and belongs to what is put back from now on.
          prepare(prepared);
          baseline.recapture();
          keptPrepared = prepared;
        }
        reseed();
        return { reusable: true, reason: null, heapBytes };
      } catch (error) {
        return { reusable: false, reason: String(error), heapBytes };
      }
    },
    async warm() {
      for (let i = 0; i < WARM_RUNS; i++) {
        prepare(WARM_UDF);
        await execute({ text: WARM_UDF, buffers: [] });
      }
      baseline?.restore();
      reseed();
    },
  };
}

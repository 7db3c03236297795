/** Isolates in Node: a child process each, with no grant, an empty environment and two inherited pipes. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import type { Folder } from "../assets.ts";
import { encodeFrameHead, type Frame, FrameReader } from "../channel.ts";
import { IsolateError } from "../errors.ts";
import type { IsolatePlatform, IsolateProcess, LaunchOptions } from "./platform.ts";

const MAJOR = Number(process.versions.node.split(".")[0]);

/** V8 must not make code from strings; the permission model gets no grant; SQLite would get around it; JSPI is behind a flag on 22. */
const FLAGS = [
  "--permission",
  "--no-experimental-sqlite",
  "--disallow-code-generation-from-strings",
  "--no-warnings",
  "--no-addons",
  "--wasm-lazy-validation",
  ...(MAJOR < 24 ? ["--experimental-wasm-jspi"] : []),
];

/** On Linux the kernel ends the child when its parent dies, whatever it is doing. */
const PARENT_DEATH = (() => {
  const setpriv = "/usr/bin/setpriv";
  if (process.platform !== "linux") return [];
  try {
    accessSync(setpriv, constants.X_OK);
    return [setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--"];
  } catch {
    return [];
  }
})();

/** How much of a crashed child's standard error is kept for the message. */
const STDERR_BYTES = 4096;

function launch(bootstrap: string, options: LaunchOptions): IsolateProcess {
  const [program = process.execPath, ...args] = [
    ...PARENT_DEATH,
    process.execPath,
    ...FLAGS,
    "-e",
    bootstrap,
  ];
  const child = spawn(program, args, {
    env: {},
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
  });
  const data = child.stdio[3] as Socket;
  const bell = child.stdio[4] as Socket;
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES);
  });
  const ring = new Uint8Array(1);
  const post = (frame: Frame) => {
    data.cork();
    data.write(encodeFrameHead(frame));
    for (const buffer of frame.buffers) if (buffer.length > 0) data.write(buffer);
    data.uncork();
    bell.write(ring);
  };
  const event = (name: string, text: string, buffers: Uint8Array[] = []) =>
    post({ kind: "event", id: 0, name, text, buffers });

  let closed = false;
  const port: IsolateProcess["port"] = {
    post(frame) {
      if (!closed) post(frame);
    },
    onFrame() {},
    onClose() {},
    close() {
      if (closed) return;
      closed = true;
      child.kill("SIGKILL");
      data.destroy();
      bell.destroy();
    },
  };
  const end = (reason: Error) => {
    if (!closed) port.onClose(reason);
  };
  const reader = new FrameReader({ maxBytes: options.maxFrameBytes }, (frame) => port.onFrame(frame));
  data.on("data", (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch (error) {
      end(error as Error);
    }
  });
  // The child ends by being killed or by crashing: a broken pipe is only how that shows.
  data.on("error", () => {});
  bell.on("error", () => {});
  child.on("error", (cause) => end(new IsolateError(`Cannot start an isolate: ${cause.message}`, { cause })));
  const gone = new Promise<void>((resolve) => {
    child.on("close", (code, signal) => {
      end(
        new IsolateError(
          `The isolate's process ended by itself (${signal ?? `exit code ${code}`})${stderr ? `: ${stderr.trim()}` : ""}`,
        ),
      );
      resolve();
    });
    child.on("error", () => resolve());
  });
  return {
    port,
    provide: ({ name, kind, bytes }) => event(kind === "module" ? "module" : "asset", name, [bytes]),
    script: (text, codeCache) => event("realm", text, codeCache ? [codeCache] : []),
    kill: () => port.close(),
    gone,
    ...(process.platform === "linux" && child.pid !== undefined
      ? {
          async memoryBytes() {
            const statm = await readFile(`/proc/${child.pid}/statm`, "utf8").catch(() => "0 0");
            return Number(statm.split(" ")[1]) * 4096;
          },
        }
      : {}),
  };
}

/** @param own the folder with the bundle `child.js` */
export function nodePlatform(own: Folder): IsolatePlatform {
  let bootstrap: Promise<string> | undefined;
  return {
    name: "node",
    capabilities: {
      processPerPrincipal: true,
      blockingCalls: true,
      totalMemoryBound: process.platform === "linux",
      instantKill: true,
      authenticatedCache: true,
      fileSystem: true,
    },
    snapshotFlavor: `node-${process.versions.v8}`,
    async launch(options) {
      bootstrap ??= own.read("child.js").then((bytes) => new TextDecoder().decode(bytes));
      return launch(await bootstrap, options);
    },
  };
}

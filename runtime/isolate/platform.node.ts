/** Isolates in Node: a child process each, with no grant, an empty environment and two inherited pipes. */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Folder } from "../assets.ts";
import { encodeFrameHead, type Frame, FrameReader } from "../channel.ts";
import { IsolateError, LimitExceededError, UsageError } from "../errors.ts";
import { ENDS_ORPHANS, takeChild } from "./child-process.node.ts";
import { type NodeProgram, nodeProgram } from "./node-program.node.ts";
import type { IsolatePlatform, IsolateProcess, LaunchOptions } from "./platform.ts";

/** How much of a crashed child's standard error is kept for the message. */
const STDERR_BYTES = 4096;

/** How much of the answers to a child may wait in its pipe before no more large ones are made. */
const MOST_UNREAD_BYTES = 16 * 1024 * 1024;

/** @throws UsageError where there is none */
function usableNode(): NodeProgram {
  const node = nodeProgram();
  if ("unfit" in node) throw new UsageError(`Cannot start an isolate: ${node.unfit}`);
  return node;
}

function launch(bootstrap: string, options: LaunchOptions): IsolateProcess {
  const child = takeChild(usableNode(), bootstrap, options.warm);
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
  let draining: Promise<void> | undefined;
  const port: IsolateProcess["port"] = {
    post(frame) {
      if (!closed) post(frame);
    },
    onFrame() {},
    onClose() {},
    flow: {
      drained() {
        if (data.writableLength <= MOST_UNREAD_BYTES || data.destroyed) return undefined;
        draining ??= new Promise((resolve) => {
          const done = () => {
            draining = undefined;
            data.off("drain", done).off("close", done);
            resolve();
          };
          data.on("drain", done).on("close", done);
        });
        return draining;
      },
      hold: (isHeld) => void (isHeld ? data.pause() : data.resume()),
    },
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
        /heap out of memory/.test(stderr)
          ? new LimitExceededError("The UDF filled the memory of its process", {
              limit: "memoryBytes",
              allowed: options.memoryBytes,
            })
          : new IsolateError(
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
          memoryBytes() {
            try {
              // The kernel answers from memory: there is nothing to wait for.
              return Number(readFileSync(`/proc/${child.pid}/statm`, "utf8").split(" ")[1]) * 4096;
            } catch {
              return 0;
            }
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
      onDemandFiles: true,
      totalMemoryBound: process.platform === "linux",
      instantKill: true,
      endsOrphans: ENDS_ORPHANS,
      authenticatedCache: true,
      fileSystem: true,
    },
    get snapshotFlavor() {
      return `node-${usableNode().v8}`;
    },
    async launch(options) {
      bootstrap ??= own.read("child.js").then((bytes) => new TextDecoder().decode(bytes));
      return launch(await bootstrap, options);
    },
    watchThread() {
      const before = performance.eventLoopUtilization();
      return () => performance.eventLoopUtilization(before).utilization > 0.5;
    },
  };
}

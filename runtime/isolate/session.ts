/**
 * The guest's side of an isolate, the same in every realm: it boots the engine, answers the host's requests one run at
 * a time, streams output, and puts memory back after each answer has left.
 */
import { type Frame, GuestChannel, type GuestPort } from "../channel.ts";
import type { GuestEngine, GuestHost } from "../engines/guest.ts";
import type { GuestFailure, RunRequest } from "../udf.ts";
import type { Encoded } from "../value.ts";
import { gatherOutput, type Stream } from "./gather.ts";

/** What a realm lends to the session. */
export interface SessionPlatform {
  port: GuestPort;
  now(): number;
  random(into: Uint8Array): void;
  /** An asset by name, as bytes that nobody may write to. */
  bytes(name: string): ArrayBuffer | undefined;
  /** A compiled asset. */
  module(name: string): WebAssembly.Module | undefined;
  /** A compiled dynamic library of the package archive. */
  library(path: string): WebAssembly.Module | undefined;
  /** Compiled code of the realm's script, where the platform can keep it. */
  codeCache(): ArrayBuffer | undefined;
  limitMemory(maxBytes: number): void;
  dropTimers(): void;
  /** Nothing is under way until the next frame: where the platform can, it waits for it without going through its event loop. */
  rest(): void;
  /** Replaces this realm by a fresh one, which answers the request. */
  renew(id: number, text: string): void;
  exit(): void;
}

/** What the host asks for when a realm starts; the rest is the engine's own. */
export interface StartOptions {
  memoryBytes: number;
  /** False: the isolate serves one run and is never put back (nothing is kept for it). */
  reusable: boolean;
  /** True: run something before the first lease, so that the code for it is compiled. */
  warm: boolean;
  [option: string]: unknown;
}

/** An engine booted in this realm; `snapshot` is what was asked to be made, if anything was. */
export interface OpenedEngine {
  engine: GuestEngine;
  report: Record<string, unknown>;
  buffers: Uint8Array[];
}
export type OpenEngine = (
  options: StartOptions,
  platform: SessionPlatform,
  host: GuestHost,
) => Promise<OpenedEngine>;

/** The guest gives itself up this long after the host should have ended it: the host may be gone. */
const GRACE_MS = 5000;

const MARK = "\n[output cut off: the limit is reached]\n";

const failure = (kind: GuestFailure["kind"], error: unknown): Encoded => ({
  text: JSON.stringify({
    ok: false,
    error: {
      kind,
      type: error instanceof Error ? error.name : "Error",
      message: error instanceof Error ? error.message : String(error),
      traceback: error instanceof Error ? String(error.stack) : "",
      file: null,
      line: null,
      subject: null,
      value: null,
    } satisfies GuestFailure,
  }),
  buffers: [],
});

/** Boots the engine for the start request `id`. @returns the function that takes each frame that arrives. */
export function openSession(
  platform: SessionPlatform,
  openEngine: OpenEngine,
  id: number,
  text: string,
): (frame: Frame) => void {
  const options = JSON.parse(text) as StartOptions;
  let engine: GuestEngine | undefined;
  let logLeft = 0;
  let dead = false;

  const channel = new GuestChannel(platform.port, (frame) => void answer(frame));
  const canBlock = platform.port.receive !== undefined;
  const send = (stream: Stream, bytes: Uint8Array) =>
    channel.event("output", { text: stream, buffers: [bytes] });
  const output = canBlock ? { write: send, flush() {} } : gatherOutput(send, platform.now);
  const host: GuestHost = {
    call: (binding, method, argument) => channel.request(`${binding}.${method}`, argument),
    callBlocking: canBlock
      ? (binding, method, argument) => channel.requestBlocking(`${binding}.${method}`, argument)
      : undefined,
    output(stream, bytes) {
      if (logLeft <= 0 || bytes.length === 0) return;
      const part = bytes.length <= logLeft ? bytes : bytes.subarray(0, logLeft);
      logLeft -= bytes.length;
      output.write(stream, part);
      if (logLeft < 0) output.write(stream, new TextEncoder().encode(MARK));
    },
    now: platform.now,
    random: platform.random,
    fatal(reason) {
      if (dead) return;
      dead = true;
      output.flush();
      channel.event("fatal", { text: reason, buffers: [] });
    },
  };

  async function run(requestId: number, body: Encoded): Promise<void> {
    const { limits } = JSON.parse(body.text) as Pick<RunRequest, "limits">;
    logLeft = limits.logBytes;
    // From here on the run counts as started: the host may try it elsewhere only if it never hears this.
    channel.event("begun", { text: "", buffers: [] });
    platform.limitMemory(limits.memoryBytes);
    const running = (engine as GuestEngine).run(body, {
      deadline: platform.now() + limits.timeMs + GRACE_MS,
      memoryBytes: limits.memoryBytes,
    });
    let reply = running instanceof Promise ? await running : running;
    if (dead) return;
    const size = reply.buffers.reduce((sum, buffer) => sum + buffer.length, reply.text.length);
    if (size > limits.outputBytes) {
      reply = failure("output", `The result has ${size} bytes: at most ${limits.outputBytes} are allowed`);
    }
    output.flush();
    if (!canBlock) await channel.drained();
    channel.reply(requestId, reply);
    await putBack();
  }

  async function putBack(): Promise<void> {
    if (!options.reusable) return;
    // The answer has left: from here nobody waits, and nothing of the run may stay.
    channel.forget();
    platform.dropTimers();
    platform.limitMemory(options.memoryBytes);
    const started = platform.now();
    const state = await (engine as GuestEngine).putBack();
    channel.event("idle", { text: JSON.stringify({ ...state, ms: platform.now() - started }), buffers: [] });
    platform.rest();
  }

  async function answer(frame: Frame): Promise<void> {
    const body = { text: frame.text, buffers: frame.buffers };
    try {
      switch (frame.name) {
        case "run":
          return await run(frame.id, body);
        case "inspect":
          channel.reply(frame.id, await (engine as GuestEngine).inspect(body));
          return await putBack();
        case "renew":
          return platform.renew(frame.id, frame.text);
        default:
          throw new Error(`No such request: ${frame.name}`);
      }
    } catch (error) {
      host.fatal(`${frame.name}: ${String(error instanceof Error ? error.stack : error)}`);
    }
  }

  void (async () => {
    try {
      platform.limitMemory(options.memoryBytes);
      const opened = await openEngine(options, platform, host);
      engine = opened.engine;
      channel.reply(id, {
        text: JSON.stringify({ ok: true, value: opened.report }),
        buffers: opened.buffers,
      });
    } catch (error) {
      channel.reply(id, failure("internal", error));
    }
  })();

  return (frame) => channel.deliver(frame);
}

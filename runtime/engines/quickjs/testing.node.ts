/** For tests: the engine in this process, with a host that keeps what it is told. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";
import type { GuestFailure, Tile } from "../../udf.ts";
import { decodeValue, type Encoded, encodeValue } from "../../value.ts";
import type { GuestEngine, GuestHost } from "../guest.ts";
import { loadEsbuild } from "./bundle.node.ts";
import { compileTypeScript } from "./compile.ts";
import { openQuickJs } from "./guest.ts";
import { bundlePrelude } from "./prelude.node.ts";
import { readTypeScript } from "./source.ts";
import { mapFailure } from "./stack.ts";

const MiB = 1024 * 1024;

export const quickJsWasm = (): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    readFileSync(fileURLToPath(import.meta.resolve("@jitl/quickjs-wasmfile-release-sync/wasm"))),
  );

/** What an expression is in this process. */
export const here = (expression: string): unknown => runInThisContext(`(${expression})`);

export interface Outcome {
  ok: boolean;
  value: unknown;
  error: GuestFailure;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  parameters?: Record<string, unknown>;
  tile?: Tile;
  timeMs?: number;
  memoryBytes?: number;
  file?: string;
  files?: Record<string, string>;
}

export class TestEngine implements AsyncDisposable {
  readonly engine: GuestEngine;
  readonly #written: { stream: string; bytes: Uint8Array }[];
  constructor(engine: GuestEngine, written: { stream: string; bytes: Uint8Array }[]) {
    this.engine = engine;
    this.#written = written;
  }

  /** Opens an engine. @param call answers host calls @param also module code added to the guest script */
  static async open({
    call = () => Promise.reject(new Error("no host")),
    also = "",
    memoryBytes = 256 * MiB,
  }: {
    call?: GuestHost["call"];
    also?: string;
    memoryBytes?: number;
  } = {}): Promise<TestEngine> {
    const written: { stream: string; bytes: Uint8Array }[] = [];
    const host: GuestHost = {
      call,
      callBlocking: undefined,
      output: (stream, bytes) => void written.push({ stream, bytes }),
      now: () => performance.now(),
      random: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      fatal: (reason) => {
        throw new Error(reason);
      },
    };
    const engine = await openQuickJs(
      { wasm: quickJsWasm(), prelude: await bundlePrelude({ also }), memoryBytes },
      host,
    );
    return new TestEngine(engine, written);
  }

  /** Reads, compiles and runs a source, then puts the engine back. */
  async run(
    code: string,
    {
      parameters = {},
      tile,
      timeMs = 5000,
      memoryBytes = 128 * MiB,
      file = "udf.ts",
      files = {},
    }: RunOptions = {},
  ): Promise<Outcome> {
    const headers = Object.entries(files).map(([path, text]) => ({
      moduleName: path,
      code: text,
      file: path,
    }));
    const source = { name: "udf", code, file, headers };
    const reading = readTypeScript(source);
    const compiled = await compileTypeScript(source, reading, loadEsbuild);
    const encoded = encodeValue(parameters, "parameters");
    const udf = { name: reading.name, file, code: compiled.code, plan: compiled.plan };
    this.#written.length = 0;
    const request = {
      text: JSON.stringify({ udf, parameters: encoded.text, tile: tile ?? null }),
      buffers: encoded.buffers,
    };
    const reply: Encoded = await this.engine.run(request, {
      deadline: performance.now() + timeMs,
      memoryBytes,
    });
    await this.engine.putBack();
    const { ok, value, error } = JSON.parse(reply.text);
    const text = (stream: string) =>
      this.#written
        .filter((part) => part.stream === stream)
        .map(({ bytes }) => new TextDecoder().decode(bytes))
        .join("");
    return {
      ok,
      value: ok ? decodeValue({ text: JSON.stringify(value), buffers: reply.buffers }) : undefined,
      error: error && mapFailure(error, compiled.map),
      stdout: text("stdout"),
      stderr: text("stderr"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.putBack();
  }
}

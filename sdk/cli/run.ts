/** `fuselet run`: runs a UDF, its result to standard output or a file, its own output to standard error. */
import { formatResult } from "../../host/formats/formats.ts";
import { isPermissionFlag, permissionsFromFlags } from "../../host/permissions/flags.ts";
import { UsageError } from "../../runtime/errors.ts";
import type { Limits } from "../../runtime/limits.ts";
import type { Options } from "./arguments.ts";
import { BINARY_FORMATS, checkOutput, type FormatName, formatOfFile, writeOutput } from "./output.ts";
import { parseSize, parseTile, parseTime } from "./quantities.ts";
import {
  assetsFrom,
  type OpenRuntime,
  openRuntime,
  type RunResult,
  sourceOf,
  untilAborted,
} from "./runtime.ts";
import { forTerminal, ProgressLine, type Terminal, write } from "./terminal.ts";

export interface RunCommand {
  options: Options;
  udf: string;
  parameters: Record<string, string>;
}

/**
 * Runs the command.
 * @throws FuseletError, whose `exitCode` is the command's.
 */
export async function run(
  { options, udf, parameters }: RunCommand,
  terminal: Terminal,
  signal: AbortSignal,
  open: OpenRuntime = openRuntime,
): Promise<void> {
  const started = performance.now();
  const file = options.get("output") === "-" ? undefined : options.get("output");
  const format =
    (options.get("format") as FormatName | undefined) ??
    (file === undefined ? undefined : formatOfFile(file));
  if (format && BINARY_FORMATS.has(format) && file === undefined) refuseTerminal(terminal, format);
  if (file !== undefined) await checkOutput(file);
  const tile = options.get("tile");
  const settings = {
    permissions: permissionsFromFlags(
      options.given
        .filter(({ name }) => isPermissionFlag(name))
        .map(({ name, value }) => ({ flag: name, value })),
    ),
    limits: limitsFrom(options),
    pool: { spares: 0, reusable: false },
    assets: assetsFrom(options, terminal.env),
  };
  const position = tile === undefined ? {} : { tile: parseTile(tile) };

  const progress = new ProgressLine(terminal);
  let endsLine = true;
  let closing: Promise<void> | undefined;
  const [runtime, source] = await untilAborted(
    Promise.all([open({ ...settings, onProgress: (event) => progress.show(event) }), sourceOf(udf)]),
    signal,
  );
  try {
    const result = await runtime.run(source, {
      parameters,
      ...position,
      signal,
      onOutput: (_stream, text) => {
        if (text === "") return;
        progress.clear();
        terminal.stderr.write(forTerminal(text, terminal.stderr));
        endsLine = text.endsWith("\n");
      },
    });
    // The isolate ends while the result is written.
    closing = runtime.close();
    progress.clear();
    const ran = performance.now();
    const bytes = await encode(result, format, file === undefined && terminal.stdout.isTTY === true);
    if (file !== undefined) await writeOutput(file, bytes);
    else await write(terminal.stdout, bytes);
    await closing;
    if (options.has("verbose")) {
      if (!endsLine) await write(terminal.stderr, "\n");
      endsLine = true;
      await write(terminal.stderr, timingLines(result, performance.now() - ran, performance.now() - started));
    }
  } finally {
    progress.clear();
    // What is written next (an error, a prompt) begins on a line of its own.
    if (!endsLine) await write(terminal.stderr, "\n");
    await (closing ?? runtime.close());
  }
}

function refuseTerminal({ stdout }: Terminal, what: string): void {
  if (!stdout.isTTY) return;
  throw new UsageError(`Cannot show ${what} on a terminal: write it to a file with -o FILE, or into a pipe`);
}

function limitsFrom(options: Options): Partial<Limits> {
  const time = options.get("time-limit");
  const memory = options.get("memory-limit");
  return {
    ...(time === undefined ? {} : { timeMs: parseTime(time, "time-limit") }),
    ...(memory === undefined ? {} : { memoryBytes: parseSize(memory, "memory-limit") }),
  };
}

/** The result's bytes. Without a format, a document or bytes are written as they are, and all else as JSON. */
async function encode(
  { raw }: RunResult,
  format: FormatName | undefined,
  toTerminal: boolean,
): Promise<Uint8Array> {
  const document = format === undefined ? bytesOf(raw) : undefined;
  if (document) {
    if (toTerminal) {
      throw new UsageError(
        `Cannot show ${document.type} on a terminal: write it to a file with -o FILE, or into a pipe`,
      );
    }
    return document.bytes;
  }
  const { bytes, mediaType } = await formatResult(raw, format ?? "json", { pretty: toTerminal });
  if (!/^(application\/(geo\+)?json|text\/plain)/.test(mediaType) || bytes.at(-1) === 10) return bytes;
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = 10;
  return line;
}

function bytesOf(raw: unknown): { type: string; bytes: Uint8Array } | undefined {
  if (raw instanceof Uint8Array) return { type: "bytes", bytes: raw };
  if (raw === null || typeof raw !== "object" || !("type" in raw) || !("bytes" in raw)) return undefined;
  const { type, bytes } = raw;
  // A media value by its shape: the class itself may come from another bundle.
  return typeof type === "string" && bytes instanceof Uint8Array ? { type, bytes } : undefined;
}

function timingLines({ timing, cached }: RunResult, formatMs: number, totalMs: number): string {
  const steps = Object.entries(timing).filter(
    (step): step is [string, number] => typeof step[1] === "number",
  );
  const lines = [...steps, ["format", formatMs] as const, ["total", totalMs] as const].map(
    ([name, ms]) => `timing: ${name.replace(/Ms$/, "")} ${ms.toFixed(1)} ms`,
  );
  return `${cached ? "timing: the result came from the cache\n" : ""}${lines.join("\n")}\n`;
}

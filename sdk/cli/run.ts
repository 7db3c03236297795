/** `fuselet run`: runs a UDF, its result to standard output or a file, its own output to standard error. */
import { join } from "node:path";
import { parseAge } from "../../host/cache/age.ts";
import { openAuditLog } from "../../host/permissions/audit-log.node.ts";
import type { Decision } from "../../host/permissions/broker.ts";
import { dataFolder } from "../../host/permissions/data-folder.node.ts";
import type { Permissions } from "../../host/permissions/descriptor.ts";
import type { Prompt } from "../../host/permissions/prompt.ts";
import { siblingsOf } from "../../host/udfs/siblings.node.ts";
import { CancelledError, FuseletError, UsageError } from "../../runtime/errors.ts";
import { once } from "../../runtime/once.ts";
import { plainText } from "../../runtime/show.ts";
import type { Tile, Udf, UdfSource } from "../../runtime/udf.ts";
import type { Options } from "./arguments.ts";
import { grantsFrom } from "./grants.ts";
import { encode, formats, type Output, outputFrom, writeTo } from "./output.ts";
import { limitsFrom, parseTile } from "./quantities.ts";
import {
  assetsFrom,
  declaringName,
  hashOf,
  type OpenRuntime,
  openRuntime,
  PRINCIPAL,
  packagesFrom,
  type RunResult,
  type Runtime,
  type RuntimeOptions,
  sourceOf,
  untilAborted,
} from "./runtime.ts";
import { Screen } from "./screen.ts";
import { storageFrom } from "./storage.ts";
import { type Terminal, write } from "./terminal.ts";

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
  const output = await outputFrom(options, terminal);
  const tile = options.get("tile");
  const position = tile === undefined ? {} : { tile: parseTile(tile) };
  const limits = limitsFrom(options);
  const cacheMaxAge = options.get("cache-max-age") ?? "0";
  if (parseAge(cacheMaxAge) === undefined) {
    throw new UsageError(
      `Cannot use --cache-max-age ${JSON.stringify(cacheMaxAge)}: write a whole number and s, m, h or d, such as 10m, or 0`,
    );
  }
  if (options.get("engine") === "remote" || options.has("instance-type")) {
    const { runRemote } = await import("./remote-run.ts");
    const result = await runRemote({ options, udf, parameters }, position, cacheMaxAge, terminal, signal);
    return writeResult(result, { ...output, position, started, options }, terminal);
  }
  const { permissions, auditLog } = await grantsFrom(options);
  if (options.has("url") && !permissions.remote)
    throw new UsageError(
      "Cannot use --url without --engine remote or --allow-remote: runs are local otherwise",
    );

  const screen = new Screen(terminal);
  const stdin = inputFor(options, udf, terminal);
  // Most runs ask for nothing.
  const prompt = once(async () => {
    const [{ createPrompt }, { openGrantFile }, { terminalPrompter }] = await Promise.all([
      import("../../host/permissions/prompt.ts"),
      import("../../host/permissions/grants.node.ts"),
      import("./prompt.ts"),
    ]);
    return createPrompt({
      prompter: stdin && terminalPrompter(stdin, terminal, screen, udf),
      grants: openGrantFile(join(dataFolder(terminal.env), "grants.json")),
      onNotice: (message) => screen.note(message),
    });
  });
  const declaring = stdin === undefined ? null : await declaringName(udf);
  const watch = watchDecisions(auditLog);
  let closing: Promise<void> | undefined;
  const ending = AbortSignal.any([signal, watch.failed]);
  const settings: RuntimeOptions = {
    permissions,
    limits,
    // One that reads the UDF first needs its isolate twice.
    pool: { spares: 0, reusable: declaring !== null },
    assets: assetsFrom(options, terminal.env),
    packages: packagesFrom(options, terminal.env),
    storage: storageFrom(terminal.env),
    udfs: siblingsOf(udf),
    ...(permissions.remote ? { server: await serverOfNestedRuns(options, terminal) } : {}),
    onUngranted: async (request) => (await prompt()).onUngranted(request),
    onDecision: watch.onDecision,
    onProgress: (event) => screen.progress(event),
  };
  const [runtime, source] = await untilAborted(Promise.all([open(settings), sourceOf(udf)]), signal);
  try {
    const ready =
      declaring === null
        ? source
        : await askFirst(runtime, source, declaring, { prompt: await prompt(), permissions, screen }, signal);
    const running = runtime.run(ready, {
      parameters,
      ...position,
      principal: PRINCIPAL,
      signal: ending,
      onOutput: (_stream, text) => screen.output(text),
      cacheMaxAge,
    });
    // What writes the result is read while it is made.
    void formats();
    const result = await running;
    // The isolate ends while the result is written.
    closing = runtime.close();
    await screen.end();
    await writeResult(result, { ...output, position, started, options }, terminal);
    await closing;
  } catch (error) {
    throw watch.explain(error);
  } finally {
    await screen.end();
    await (closing ?? runtime.close());
    watch.close();
  }
}

interface Ended extends Output {
  position: { tile?: Tile };
  /** When the command began. */
  started: number;
  options: Options;
}

/** Writes a result to where it is wanted, and how long all took. */
async function writeResult(
  result: RunResult,
  { format, file, position, started, options }: Ended,
  terminal: Terminal,
): Promise<void> {
  const ran = performance.now();
  const bytes = await encode(result, format, file === undefined ? terminal.stdout : undefined, position);
  await writeTo(file, bytes, terminal);
  if (options.has("verbose"))
    await write(terminal.stderr, timingLines(result, performance.now() - ran, performance.now() - started));
}

/** Where the UDF may send runs. @throws UsageError where no server is named */
async function serverOfNestedRuns(options: Options, { env }: Terminal) {
  return (await import("./logins.ts")).loginFrom(options, env);
}

/** The terminal that can answer questions, if there is one; standard input may be the UDF. */
function inputFor(options: Options, udf: string, terminal: Terminal): Terminal["stdin"] {
  if (options.has("no-prompt") || udf === "-" || !terminal.stderr.isTTY) return undefined;
  return terminal.stdin?.isTTY ? terminal.stdin : undefined;
}

/** Logs all decisions of a run. */
function watchDecisions(auditLog: string | undefined) {
  const log = auditLog === undefined ? undefined : openAuditLog(auditLog);
  const failed = new AbortController();
  const onDecision = (decision: Decision) => {
    try {
      log?.write(decision);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  return {
    onDecision,
    /** Aborts where a decision could not be logged: the run must not go on. */
    failed: failed.signal,
    explain(error: unknown): unknown {
      return failed.signal.aborted ? new UsageError((failed.signal.reason as Error).message) : error;
    },
    close: () => log?.close(),
  };
}

/**
 * Reads what the UDF declares, and asks for all of it before it starts.
 * @param name what its runs are called, whatever it calls itself: their hash has it in it
 * @returns the UDF as it was read: that is what runs
 */
async function askFirst(
  runtime: Runtime,
  source: string | UdfSource,
  name: string,
  { prompt, permissions, screen }: { prompt: Prompt; permissions: Permissions; screen: Screen },
  signal: AbortSignal,
): Promise<Udf> {
  const [read, { readRequest }] = await Promise.all([
    untilAborted(runtime.inspect(source), signal),
    import("../../host/permissions/request.ts"),
  ]);
  const udf = { ...read, name };
  try {
    const request = readRequest(udf.permissions, `${udf.file}: permissions`);
    await prompt.askDeclared(
      { principal: PRINCIPAL, udf: { name, hash: hashOf(udf) }, request, permissions },
      signal,
    );
  } catch (error) {
    if (!(error instanceof FuseletError)) throw error;
    // They grant nothing, so they stop nothing either.
    screen.note(plainText(error.message, 500));
  }
  if (signal.aborted) throw new CancelledError("Cancelled");
  return udf;
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

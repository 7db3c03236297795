/** `fuselet inspect`: what a UDF declares, read from its source. No user code runs. */
import { readRequest } from "../../host/permissions/request.ts";
import { UsageError } from "../../runtime/errors.ts";
import { plainText } from "../../runtime/show.ts";
import type { Udf } from "../../runtime/udf.ts";
import type { Options } from "./arguments.ts";
import { grantsFrom } from "./grants.ts";
import { assetsFrom, type OpenRuntime, openRuntime, sourceOf, untilAborted } from "./runtime.ts";
import { forTerminal, ProgressLine, type Terminal, write } from "./terminal.ts";

/**
 * Runs the command.
 * @throws FuseletError, whose `exitCode` is the command's.
 */
export async function inspect(
  { options, udf: name }: { options: Options; udf: string },
  terminal: Terminal,
  signal: AbortSignal,
  open: OpenRuntime = openRuntime,
): Promise<void> {
  const progress = new ProgressLine(terminal);
  const { permissions } = await grantsFrom(options);
  const [runtime, source] = await untilAborted(
    Promise.all([
      open({
        permissions,
        limits: {},
        pool: { spares: 0, reusable: false },
        assets: assetsFrom(options, terminal.env),
        packages: {},
        onProgress: (event) => progress.show(event),
      }),
      sourceOf(name),
    ]),
    signal,
  );
  try {
    const udf = await untilAborted(runtime.inspect(source), signal);
    progress.clear();
    const text = options.has("json") ? toJson(udf, terminal.stdout.isTTY === true) : toText(udf);
    await write(terminal.stdout, `${forTerminal(text, terminal.stdout)}\n`);
  } finally {
    progress.clear();
    await runtime.close();
  }
}

function toJson(udf: Udf, pretty: boolean): string {
  const { name, language, file, entrypoint, parameters, permissions, packages, metadata } = udf;
  const headers = udf.headers.map(({ moduleName, file: path }) => ({ moduleName, file: path }));
  const shown = { name, language, file, entrypoint, parameters, permissions, packages, headers, metadata };
  return JSON.stringify(shown, null, pretty ? 2 : undefined);
}

function toText(udf: Udf): string {
  const list = (items: readonly string[]) => (items.length ? items.join("\n             ") : "none");
  return [
    `name         ${udf.name}`,
    `language     ${udf.language}`,
    `entrypoint   ${udf.entrypoint} (${udf.file})`,
    `parameters   ${list(udf.parameters.map(signatureOf))}`,
    `permissions  ${list(permissionLines(udf))}`,
    `packages     ${list(udf.packages)}`,
    `headers      ${list(udf.headers.map((header) => header.file))}`,
  ].join("\n");
}

function permissionLines({ permissions, file }: Udf): string[] {
  try {
    readRequest(permissions, `${file}: permissions`);
  } catch (error) {
    if (error instanceof UsageError) return [plainText(error.message, 500)];
    throw error;
  }
  return Object.entries(permissions).map(([name, value]) =>
    plainText(`${name}: ${JSON.stringify(value)}`, 500),
  );
}

function signatureOf({ name, annotation, default: value, kind }: Udf["parameters"][number]): string {
  const label = kind === "rest" ? `${name} (all others)` : name;
  return `${label}${annotation === null ? "" : `: ${annotation}`}${value === null ? "" : ` = ${value}`}`;
}

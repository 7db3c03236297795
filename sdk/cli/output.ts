/** What a result is written as, and where it goes: standard output, or a file that is written whole or not at all. */
import { randomUUID } from "node:crypto";
import { chmod, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { UsageError } from "../../runtime/errors.ts";
import { once } from "../../runtime/once.ts";
import type { Tile } from "../../runtime/udf.ts";
import type { Options } from "./arguments.ts";
import type { RunResult } from "./runtime.ts";
import { forTerminal, type Terminal, write } from "./terminal.ts";
import type { FORMATS } from "./verbs.ts";

export type FormatName = (typeof FORMATS)[number];

const BY_EXTENSION: Record<string, FormatName> = {
  ".json": "json",
  ".csv": "csv",
  ".geojson": "geojson",
  ".parquet": "parquet",
  ".arrow": "arrow",
  ".arrows": "arrow",
  ".html": "html",
  ".htm": "html",
  ".png": "png",
  ".tif": "tiff",
  ".tiff": "tiff",
  ".npy": "npy",
  ".txt": "text",
  ".zip": "zip",
  ".mvt": "mvt",
  ".pbf": "mvt",
};

/** Formats that a terminal cannot show. */
const BINARY_FORMATS: ReadonlySet<FormatName> = new Set([
  "parquet",
  "arrow",
  "png",
  "tiff",
  "npy",
  "zip",
  "mvt",
]);

/** The format that a file's name asks for, if any. */
function formatOfFile(file: string): FormatName | undefined {
  return BY_EXTENSION[extname(file).toLowerCase()];
}

/** What options say of where a result goes. */
export interface Output {
  format: FormatName | undefined;
  /** Undefined: standard output. */
  file: string | undefined;
}

/** Reads it, and makes sure that the result can go there. @throws UsageError */
export async function outputFrom(options: Options, { stdout }: Terminal): Promise<Output> {
  const file = options.get("output") === "-" ? undefined : options.get("output");
  const format =
    (options.get("format") as FormatName | undefined) ??
    (file === undefined ? undefined : formatOfFile(file));
  if (file !== undefined) await checkOutput(file);
  else if (format && BINARY_FORMATS.has(format) && stdout.isTTY) throw notShown(format);
  return { format, file };
}

/** For what a terminal cannot show. */
const notShown = (what: string) =>
  new UsageError(`Cannot show ${what} on a terminal: write it to a file with -o FILE, or into a pipe`);

/** What makes formats: it takes a while to be read. */
export const formats = once(() => import("../../host/formats/formats.ts"));

/** The result's bytes. Without a format, a document or bytes are written as they are, and all else as JSON; a terminal gets text that cannot steer it. */
export async function encode(
  { raw }: Pick<RunResult, "raw">,
  format: FormatName | undefined,
  stdout: Terminal["stdout"] | undefined,
  position: { tile?: Tile },
): Promise<Uint8Array> {
  const toTerminal = stdout?.isTTY === true;
  const document = format === undefined ? bytesOf(raw) : undefined;
  if (document) {
    if (toTerminal) throw notShown(document.type);
    return document.bytes;
  }
  const { formatResult } = await formats();
  const { bytes, mediaType } = await formatResult(raw, format ?? "json", { pretty: toTerminal, ...position });
  if (!/^(application\/(geo\+)?json|text\/)/.test(mediaType)) return bytes;
  const shown = toTerminal
    ? new TextEncoder().encode(forTerminal(new TextDecoder().decode(bytes), stdout))
    : bytes;
  if (!/^(application|text\/plain)/.test(mediaType) || shown.at(-1) === 10) return shown;
  const line = new Uint8Array(shown.length + 1);
  line.set(shown);
  line[shown.length] = 10;
  return line;
}

function bytesOf(raw: unknown): { type: string; bytes: Uint8Array } | undefined {
  if (raw instanceof Uint8Array) return { type: "bytes", bytes: raw };
  if (raw === null || typeof raw !== "object" || !("type" in raw) || !("bytes" in raw)) return undefined;
  const { type, bytes } = raw;
  // A media value by its shape: the class itself may come from another bundle.
  return typeof type === "string" && bytes instanceof Uint8Array ? { type, bytes } : undefined;
}

/** Writes a result to where it is wanted. @throws UsageError */
export const writeTo = (file: string | undefined, bytes: Uint8Array, { stdout }: Terminal) =>
  file === undefined ? write(stdout, bytes) : writeOutput(file, bytes);

/**
 * Makes sure that a file can be written, before a run whose result would be lost.
 * @throws UsageError that names the file and the reason.
 */
export async function checkOutput(file: string): Promise<void> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw failure(file, error);
  });
  if (found?.isDirectory()) throw new UsageError(`Cannot write ${JSON.stringify(file)}: it is a folder`);
  if (found) return;
  const folder = await stat(dirname(file)).catch((error: NodeJS.ErrnoException) => {
    throw failure(file, error);
  });
  if (!folder.isDirectory())
    throw new UsageError(`Cannot write ${JSON.stringify(file)}: ${dirname(file)} is no folder`);
}

/**
 * Writes a file: first beside it under another name, then renamed, so that nobody sees a part. A device or a pipe is
 * written directly, for renaming would replace it.
 * @throws UsageError that names the file and the reason; the file is then as it was.
 */
export async function writeOutput(file: string, bytes: Uint8Array): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  try {
    if (found && !found.isFile()) return await writeDirectly(file, bytes);
    const target = found ? await realpath(file) : file;
    const part = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomUUID()}.part`);
    try {
      await writeDirectly(part, bytes, "wx");
      if (found) await chmod(part, found.mode & 0o777);
      await rename(part, target);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  } catch (error) {
    throw failure(file, error as NodeJS.ErrnoException);
  }
}

async function writeDirectly(file: string, bytes: Uint8Array, flags = "w"): Promise<void> {
  const handle = await open(file, flags);
  try {
    await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
}

function failure(file: string, error: NodeJS.ErrnoException): UsageError {
  const reasons: Record<string, string> = {
    ENOENT: `the folder ${JSON.stringify(dirname(file))} does not exist`,
    ENOTDIR: `${JSON.stringify(dirname(file))} is no folder`,
    EACCES: "writing there is not permitted",
    EPERM: "writing there is not permitted",
    EROFS: "the file system is read-only",
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    EFBIG: "the file would be larger than allowed",
    EISDIR: "it is a folder",
    ENAMETOOLONG: "the name is too long",
  };
  return new UsageError(
    `Cannot write ${JSON.stringify(file)}: ${reasons[error.code ?? ""] ?? error.message}`,
    {
      cause: error,
    },
  );
}

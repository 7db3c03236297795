/** A UDF's source from the machine: a file, a folder, a zip archive or standard input. */
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { UdfLoadError, UsageError } from "../../runtime/errors.ts";
import type { Header, UdfSource } from "../../runtime/udf.ts";
import { checkPath, isSourceFolder, isSourcePath, moduleNameOf } from "./paths.ts";
import {
  detectLanguage,
  isZip,
  SOURCE_LIMITS,
  sourceFromBytes,
  sourceFromFiles,
  tooLarge,
} from "./source.ts";
import { type FetchBytes, readUrlHeaders, sourceFromUrl } from "./source-url.ts";

/**
 * Reads the source that a person named.
 * @param pathOrUrl a file, a folder, a zip archive, `-` for standard input, or a URL.
 * @param fetchBytes fetches what is behind http: and https: URLs
 * @throws UsageError where there is no such file, or it cannot be read; UdfLoadError where what was read is no UDF; what `fetchBytes` throws
 */
export async function readSource(pathOrUrl: string, fetchBytes: FetchBytes): Promise<UdfSource> {
  if (pathOrUrl === "") throw new UsageError("Cannot read a UDF: the path is empty");
  if (pathOrUrl === "-") return readStandardInput();
  if (isRemote(pathOrUrl)) return sourceFromUrl(toUrl(pathOrUrl), fetchBytes);
  const path = toPath(pathOrUrl);
  return attempt(path, async () => {
    const found = await stat(path);
    if (!found.isDirectory()) return await sourceFromBytes(await readBounded(path), basename(path));
    const root = await realpath(path);
    return sourceFromFiles(await readFolder(root), basename(root) || "udf");
  });
}

/**
 * Reads the modules that a UDF's decorator names (`headers=["utils.py"]`), relative to the UDF's file and inside its folder.
 * @param sourcePath path or URL of the UDF's file.
 * @param names paths as the decorator has them; without an extension, the UDF's own is added.
 * @throws UdfLoadError that names the header and why it cannot be read.
 */
export async function readHeaders(
  sourcePath: string,
  names: readonly string[],
  fetchBytes: FetchBytes,
): Promise<Header[]> {
  if (isRemote(sourcePath)) return readUrlHeaders(toUrl(sourcePath), names, fetchBytes);
  const folder = await attempt(sourcePath, async () => dirname(await realpath(sourcePath)));
  const extension = extname(sourcePath) || ".py";
  return Promise.all(
    names.map(async (name) => {
      const plain = name.replace(/^\.\//, "");
      const file = checkPath(extname(plain) === "" ? `${plain}${extension}` : plain);
      const label = `Cannot read the header ${JSON.stringify(name)} of ${JSON.stringify(sourcePath)}`;
      try {
        const target = await insideOf(folder, join(folder, file));
        const bytes = await readBounded(target);
        return {
          moduleName: moduleNameOf(file),
          code: new TextDecoder("utf-8", { fatal: true }).decode(bytes),
          file,
        };
      } catch (cause) {
        if (cause instanceof UdfLoadError) throw cause;
        throw new UdfLoadError(`${label}: ${reasonOf(cause)}`, { cause, location: { file: sourcePath } });
      }
    }),
  );
}

/** The UDF that comes on standard input. @throws as `readSource` */
export async function readStandardInput(): Promise<UdfSource> {
  const bytes = await collect(process.stdin, "standard input");
  if (isZip(bytes)) return sourceFromBytes(bytes, "stdin.zip");
  const language = detectLanguage(new TextDecoder().decode(bytes));
  return sourceFromBytes(bytes, language === null ? "stdin" : `stdin.${language === "python" ? "py" : "ts"}`);
}

/** Whether a person named a UDF by a URL that has to be fetched. One letter before the colon is a Windows drive. */
export function isRemote(pathOrUrl: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(pathOrUrl) && !/^file:/i.test(pathOrUrl);
}

/** @throws UsageError for what is no http: or https: URL */
function toUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new UsageError(`Cannot read ${JSON.stringify(text)}: UDFs are fetched from http: and https: URLs`);
}

function toPath(pathOrUrl: string): string {
  if (!/^file:\/\//i.test(pathOrUrl)) return resolve(pathOrUrl);
  try {
    return fileURLToPath(pathOrUrl);
  } catch (cause) {
    throw new UsageError(`Cannot read ${JSON.stringify(pathOrUrl)}: ${(cause as Error).message}`);
  }
}

/** Runs a file operation and turns the system's error into one that names the path and what to do. */
async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
    throw new UsageError(`Cannot read the UDF ${JSON.stringify(path)}: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: "there is no such file or folder",
    ENOTDIR: "a part of the path is no folder",
    EACCES: "reading it is not permitted",
    EPERM: "reading it is not permitted",
    ELOOP: "its symbolic links go in a circle",
    ENAMETOOLONG: "the path is too long",
    EISDIR: "it is a folder",
    ERR_ENCODING_INVALID_ENCODED_DATA: "it is no UTF-8 text",
  };
  return reasons[code ?? ""] ?? message;
}

/** Reads at most what a source may have; a device or a pipe never fills the memory. */
async function readBounded(path: string): Promise<Uint8Array> {
  return collect(createReadStream(path, { end: SOURCE_LIMITS.totalBytes }), path);
}

async function collect(stream: AsyncIterable<Uint8Array>, label: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    total += chunk.length;
    if (total > SOURCE_LIMITS.totalBytes) throw tooLarge(label, SOURCE_LIMITS.totalBytes);
  }
  return Buffer.concat(chunks, total);
}

/** The real path of a file, which must lie inside `folder` (itself a real path). */
async function insideOf(folder: string, path: string): Promise<string> {
  const target = await realpath(path);
  if (target !== folder && !target.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
    throw new UdfLoadError(
      `Cannot read ${JSON.stringify(path)}: it is a symbolic link that leaves the UDF's folder`,
    );
  }
  return target;
}

/** The source files of a folder. Hidden folders, packages and virtual environments are not looked into. */
async function readFolder(root: string): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = Object.create(null);
  const visited = new Set<string>();
  let count = 0;
  const walk = async (folder: string): Promise<void> => {
    const real = await insideOf(root, folder);
    if (visited.has(real)) return;
    visited.add(real);
    const entries = await readdir(folder, { withFileTypes: true });
    if (folder !== root && entries.some((entry) => entry.name === "pyvenv.cfg")) return;
    for (const entry of entries) {
      const full = join(folder, entry.name);
      const path = relative(root, full).split(sep).join("/");
      const isLink = entry.isSymbolicLink();
      if (isLink && !isSourcePath(path) && !isSourceFolder(entry.name)) continue;
      const found = isLink ? await stat(await insideOf(root, full)) : entry;
      if (found.isDirectory()) {
        if (isSourceFolder(entry.name)) await walk(full);
      } else if (found.isFile() && isSourcePath(path)) {
        if (++count > SOURCE_LIMITS.files) {
          throw new UdfLoadError(
            `Cannot load the folder ${JSON.stringify(root)}: it has more than ${SOURCE_LIMITS.files} source files`,
          );
        }
        files[path] = await readBounded(full);
      }
    }
  };
  await walk(root);
  return files;
}

/**
 * A UDF's source from text, from a folder's files and from a zip: what a person wrote becomes a `UdfSource`.
 *
 * A folder is either what Fused's `to_directory` writes (`NAME.py`, `meta.json` and header modules) or a plain folder with
 * an entry file. All other source files of the folder are headers.
 */
import { UdfLoadError, UsageError } from "../../runtime/errors.ts";
import { isRecord } from "../../runtime/record.ts";
import { showReceived } from "../../runtime/show.ts";
import type { Header, Language, UdfSource } from "../../runtime/udf.ts";
import { readMeta } from "./meta.ts";
import { checkPath, isSourcePath, languageOf, moduleNameOf, stemOf } from "./paths.ts";

/** The most that a UDF's source may be: one file, all files together, and their number. */
export const SOURCE_LIMITS = Object.freeze({
  fileBytes: 8 * 1024 * 1024,
  totalBytes: 32 * 1024 * 1024,
  files: 1000,
  zipRatio: 200,
});

/** File names (without extension) that make a file the entry of a plain folder, best first; then the folder's own name. */
const ENTRY_STEMS = ["udf", "main", "index"];

/** What text alone does not say. */
export interface TextSourceOptions {
  /** Default: the file's name without extension, else `udf`. */
  name?: string;
  /** Default: by the file's extension, else by what the text looks like. */
  language?: Language;
  /** The file's name, for tracebacks. Default: the name with the language's extension. */
  file?: string;
}

/**
 * Makes a UDF's source from text.
 * @throws UdfLoadError where the text is empty or too large, or its language cannot be told.
 * @throws UsageError for a bad name.
 */
export function sourceFromText(text: string, options: TextSourceOptions = {}): UdfSource {
  const code = text.startsWith("\ufeff") ? text.slice(1) : text;
  const label = options.file ?? options.name ?? "udf";
  if (code.trim() === "") throw new UdfLoadError(`Cannot load ${JSON.stringify(label)}: it is empty`);
  if (code.length > SOURCE_LIMITS.fileBytes) throw tooLarge(label, SOURCE_LIMITS.fileBytes);
  const language =
    options.language ??
    (options.file === undefined ? null : languageOf(options.file)) ??
    detectLanguage(code);
  if (language === null) {
    throw new UdfLoadError(
      `Cannot tell whether ${JSON.stringify(label)} is Python or TypeScript: name the file .py or .ts`,
    );
  }
  const name = checkName(options.name ?? (options.file === undefined ? "udf" : stemOf(options.file)));
  const file = options.file ?? `${name}.${language === "python" ? "py" : "ts"}`;
  return { name, language, code, file, headers: [], metadata: {} };
}

const isText = (value: unknown) => typeof value === "string";
const isHeader = (value: unknown) =>
  isRecord(value) && ["moduleName", "code", "file"].every((field) => isText(value[field]));

/** What the fields of a source are, for messages, and whether a value is that. */
const FIELDS: Readonly<Record<string, readonly [what: string, fits: (value: unknown) => boolean]>> = {
  code: ["text", isText],
  name: ["text", isText],
  file: ["text", isText],
  language: ['"python" or "typescript"', (value) => value === "python" || value === "typescript"],
  headers: [
    "a list of { moduleName, code, file }",
    (value) => Array.isArray(value) && value.every((header) => isHeader(header)),
  ],
  metadata: ["an object", isRecord],
};

/**
 * Checks a UDF's source that a program gives, and fills in all but its code where that is left out. A complete one is given back itself.
 * @throws UsageError that names what is wrong; UdfLoadError as `sourceFromText` does
 */
export function sourceFromObject(given: unknown): UdfSource {
  if (!isRecord(given)) {
    throw new UsageError(
      `A UDF is a path, a URL, code with a line break, or { code, language, … }: received ${showReceived(given)}`,
    );
  }
  for (const [field, [what, fits]] of Object.entries(FIELDS)) {
    if (fits(given[field]) || (given[field] === undefined && field !== "code")) continue;
    throw new UsageError(`A UDF's ${field} must be ${what}: received ${showReceived(given[field])}`);
  }
  if (Object.keys(FIELDS).every((field) => given[field] !== undefined)) return given as unknown as UdfSource;
  const { headers = [], metadata = {} } = given as Partial<UdfSource>;
  return { ...given, ...sourceFromText(given.code as string, given), headers, metadata };
}

/**
 * Makes a UDF's source from the files of a folder or zip.
 * @param files path relative to the folder, with slashes, to contents. Files that are no source are left out.
 * @param name the folder's name; `meta.json` may say another.
 * @throws UdfLoadError for unsafe paths, files that are no UTF-8, an unclear entry, or too many or too large files.
 */
export function sourceFromFiles(files: Readonly<Record<string, Uint8Array>>, name: string): UdfSource {
  const sources = readTexts(files);
  const meta = readMeta(sources.get("meta.json"));
  const entry = meta?.source ?? findEntry([...sources.keys()], name);
  const code = sources.get(entry);
  const language = languageOf(entry);
  if (code === undefined || language === null) {
    throw new UdfLoadError(
      `Cannot load the UDF ${JSON.stringify(name)}: its meta.json names the source ${JSON.stringify(entry)}, which ${
        code === undefined ? "is not there" : "is no .py, .ts or .js file"
      }`,
    );
  }
  const headers: Header[] = [];
  for (const [file, text] of sources) {
    if (file === entry || (meta !== null && file === "meta.json")) continue;
    headers.push({ moduleName: meta?.moduleNames.get(file) ?? moduleNameOf(file), code: text, file });
  }
  checkHeaders(headers);
  const source = sourceFromText(code, { name: meta?.name ?? name, language, file: entry });
  return {
    ...source,
    headers,
    metadata: meta?.metadata ?? {},
    ...(meta?.saved ? { saved: meta.saved } : {}),
  };
}

/** Whether bytes begin like a zip archive. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/**
 * Makes a UDF's source from one file's bytes: a zip archive, or text.
 * @param file the file's name; it gives the UDF's name and, by its extension, the language.
 * @throws UdfLoadError as `sourceFromText` and `sourceFromFiles` do.
 */
export async function sourceFromBytes(bytes: Uint8Array, file: string): Promise<UdfSource> {
  if (!isZip(bytes)) return sourceFromText(decode(bytes, file), { file });
  const { readZip } = await import("./zip.ts");
  const files = readZip(
    bytes,
    { maxEntries: 20_000, maxTotalBytes: SOURCE_LIMITS.totalBytes, maxRatio: SOURCE_LIMITS.zipRatio },
    isSourcePath,
  );
  return sourceFromFiles(withoutTopFolder(files), stemOf(file));
}

/** Tells Python from TypeScript by the first line that only one of them can have; null where no line does. */
export function detectLanguage(code: string): Language | null {
  for (const line of code.split("\n", 2000)) {
    const text = line.trim();
    if (PYTHON_LINE.test(text)) return "python";
    if (TYPESCRIPT_LINE.test(text)) return "typescript";
  }
  return null;
}

const PYTHON_LINE =
  /^(#(?!!)|#!.*python|"""|'''|@fused\b|from\s+[\w.]+\s+import\b|import\s+[\w.]+(\s+as\s+\w+)?(\s*,\s*[\w.]+(\s+as\s+\w+)?)*\s*(#.*)?$|(async\s+)?def\s+\w+\s*\(|class\s+\w+\s*(\(.*\))?\s*:)/;
const TYPESCRIPT_LINE =
  /^(\/\/|\/\*|["']use strict["']|import\b.*["']|import\s+(type\s+)?[{*]|export\b|(const|let|var)\s|(async\s+)?function\b|interface\s+\w+|type\s+\w+\s*=|class\s+\w+.*\{)/;

/** Decodes UTF-8 strictly; a byte order mark is dropped. */
function decode(bytes: Uint8Array, path: string): string {
  if (bytes.length > SOURCE_LIMITS.fileBytes) throw tooLarge(path, SOURCE_LIMITS.fileBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UdfLoadError(`Cannot read ${JSON.stringify(path)}: it is no UTF-8 text`, {
      location: { file: path },
    });
  }
}

/** @param label the path or the URL @param mostBytes of `SOURCE_LIMITS` */
export const tooLarge = (label: string, mostBytes: number): UdfLoadError =>
  new UdfLoadError(`Cannot read ${JSON.stringify(label)}: it is larger than ${mostBytes / 2 ** 20} MB`);

/** @throws UsageError */
export function checkName(name: string): string {
  if (name === "" || name.length > 200 || /[\u0000-\u001f\u007f/\\\u202a-\u202e\u2066-\u2069]/.test(name)) {
    throw new UsageError(
      `Cannot name a UDF ${JSON.stringify(name.slice(0, 200))}: a name has 1 to 200 characters and no slashes or control characters`,
    );
  }
  return name;
}

/** The source files as text, sorted by path so that the same folder always gives the same UDF. */
function readTexts(files: Readonly<Record<string, Uint8Array>>): Map<string, string> {
  const paths = Object.keys(files).map(checkPath).filter(isSourcePath).sort();
  if (paths.length > SOURCE_LIMITS.files) {
    throw new UdfLoadError(
      `Cannot load the folder: it has ${paths.length} source files; at most ${SOURCE_LIMITS.files} are allowed`,
    );
  }
  let total = 0;
  return new Map(
    paths.map((path) => {
      const bytes = files[path] as Uint8Array;
      total += bytes.length;
      if (total > SOURCE_LIMITS.totalBytes) {
        throw new UdfLoadError(
          `Cannot load the folder: its source files are larger than ${SOURCE_LIMITS.totalBytes / 2 ** 20} MB together`,
        );
      }
      return [path, decode(bytes, path)];
    }),
  );
}

function findEntry(paths: string[], name: string): string {
  const top = paths.filter((path) => !path.includes("/") && languageOf(path) !== null);
  const named = [...ENTRY_STEMS, name].flatMap((stem) => top.filter((path) => stemOf(path) === stem));
  const candidates = named.length ? named : top;
  const [first, second] = candidates;
  const label = JSON.stringify(name);
  if (first === undefined) {
    throw new UdfLoadError(`Cannot load the folder ${label}: it has no .py, .ts or .js file at its top`);
  }
  const unclear = named.length ? new Set(named.map(languageOf)).size > 1 : second !== undefined;
  if (unclear) {
    throw new UdfLoadError(
      `Cannot tell which file of the folder ${label} is the UDF: candidates are ${[...new Set(candidates)].sort().join(", ")}; run one of them, or call it udf.py or udf.ts`,
    );
  }
  return first;
}

/** Two files under one Python module name would hide one another. */
function checkHeaders(headers: readonly Header[]): void {
  const files = new Map<string, string>();
  for (const { moduleName, file } of headers) {
    const key = file.endsWith(".py") ? moduleName : file;
    const other = files.get(key);
    if (other !== undefined) {
      throw new UdfLoadError(
        `Cannot load the folder: ${other} and ${file} are both the module ${moduleName}`,
      );
    }
    files.set(key, file);
  }
}

/** Archives of a folder hold the folder itself: its contents are what counts. */
function withoutTopFolder(files: Record<string, Uint8Array>): Record<string, Uint8Array> {
  const paths = Object.keys(files);
  const top = paths[0]?.split("/", 1)[0] as string;
  if (paths.length === 0 || !paths.every((path) => path.startsWith(`${top}/`))) return files;
  return Object.fromEntries(paths.map((path) => [path.slice(top.length + 1), files[path] as Uint8Array]));
}

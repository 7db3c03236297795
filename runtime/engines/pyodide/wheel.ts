/**
 * Wheels: what their names say, whether they fit an interpreter, and what they hold.
 * Source: packaging.python.org/en/latest/specifications/binary-distribution-format/ and …/core-metadata/
 */
import { explain } from "@renovatebot/pep440";
import { AssetError } from "../../errors.ts";
import type { Interpreter } from "./packages.ts";
import { canonicalName } from "./packages-requirement.ts";

export interface WheelName {
  /** As PEP 503 writes it. */
  name: string;
  version: string;
  /** What may follow each other: `py2.py3` is two. */
  pythons: readonly string[];
  abis: readonly string[];
  platforms: readonly string[];
}

/** No file system takes longer names. */
const MOST_NAME_CHARACTERS = 255;

/** @returns null for what is no name of a wheel */
export function parseWheelName(file: string): WheelName | null {
  if (file.length > MOST_NAME_CHARACTERS || !file.endsWith(".whl") || !/^[\w.+!-]+$/.test(file)) return null;
  const parts = file.slice(0, -4).split("-");
  if (parts.length !== 5 && parts.length !== 6) return null;
  const [name = "", version = ""] = parts;
  const [pythons, abis, platforms] = parts.slice(-3).map((tags) => tags.split("."));
  if (!explain(version) || name === "") return null;
  return {
    name: canonicalName(name),
    version,
    pythons: pythons as string[],
    abis: abis as string[],
    platforms: platforms as string[],
  };
}

/** Whether it has no code for a machine. */
export const isPure = ({ abis, platforms }: WheelName): boolean =>
  abis.includes("none") && platforms.includes("any");

/** Why a wheel cannot be used by an interpreter; null where it can. */
export function misfit({ pythons, abis, platforms }: WheelName, interpreter: Interpreter): string | null {
  const { python, platformTags } = interpreter;
  const [major, minor] = python.split(".").map(Number) as [number, number];
  const platform = platforms.find((tag) => tag === "any" || platformTags.includes(tag));
  if (platform === undefined) {
    return `it is for ${platforms.join(", ")}, and ${interpreter.label} takes ${[...platformTags, "any"].join(", ")}`;
  }
  const own = `cp${major}${minor}`;
  const isOlder = (tag: string) => {
    const [, at, of] = /^(?:py|cp)(\d)(\d*)$/.exec(tag) ?? [];
    return Number(at) === major && (of === "" ? tag.startsWith("py") : Number(of) <= minor);
  };
  const fits = pythons.some((tag) =>
    abis.some((abi) => {
      if (abi === "none") return tag === own || (tag.startsWith("py") && isOlder(tag));
      if (platform === "any") return false;
      return abi === "abi3" ? isOlder(tag) : abi === own && tag === own;
    }),
  );
  if (fits) return null;
  return `it is for ${pythons.join(", ")} with the ABI ${abis.join(", ")}, and ${interpreter.label} has ${own}`;
}

/** What a wheel says of itself. */
export interface Metadata {
  /** As PEP 503 writes it. */
  name: string;
  version: string;
  /** Texts of requirements. */
  requires: string[];
  /** Version specifiers; empty where any Python will do. */
  requiresPython: string;
}

/** Reads the head of a METADATA file: fields as in a mail, of which some are repeated, and some go on in indented lines. */
export function parseMetadata(text: string): Metadata {
  const head = text.split(/\r?\n\r?\n/, 1)[0] as string;
  const fields = head
    .replaceAll(/\r?\n[ \t]+/g, " ")
    .split(/\r?\n/)
    .map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    });
  const all = (name: string) => fields.filter(([field]) => field === name).map(([, value]) => value);
  return {
    name: canonicalName(all("name")[0] ?? ""),
    version: all("version")[0] ?? "",
    requires: all("requires-dist"),
    requiresPython: all("requires-python")[0] ?? "",
  };
}

/** What a wheel holds. */
export interface WheelContent extends Metadata {
  /** Names that can be imported once it is installed: what lies at the top of its file tree. */
  imports: string[];
}

/** A wheel is a zip archive; its METADATA is at most so large. */
const MOST_METADATA_BYTES = 4 * 1024 * 1024;
/** What one wheel may hold, unpacked, so that nobody fills this process's memory: no interpreter could hold more. */
const MOST_BYTES = 1024 ** 3;
const MOST_FILES = 100_000;

/**
 * Counts the files of an archive, before any is unpacked. Many entries may share one place of the archive, and what is stored is copied in
 * its stored size, whatever size it says.
 * @returns takes each of them in turn and throws an Error for one too many
 */
export function wheelBudget(): (entry: { size: number; originalSize: number }) => void {
  let [left, count] = [MOST_BYTES, 0];
  return ({ size, originalSize }) => {
    left -= Math.max(size, originalSize);
    if (left < 0 || ++count > MOST_FILES)
      throw new Error(`it has more than ${MOST_BYTES} bytes or ${MOST_FILES} files`);
  };
}

/** Where a file of a wheel goes below site-packages; null where it is not installed there. */
export function placeOf(path: string): string | null {
  const [, kind, rest] = /^[^/]+\.data\/([^/]+)\/(.*)$/.exec(path) ?? [];
  if (kind === undefined) return path;
  return kind === "purelib" || kind === "platlib" ? (rest as string) : null;
}

/** The name that a path below site-packages can be imported by; null where it is part of no module. */
function moduleOf(path: string): string | null {
  const [top = "", ...below] = path.split("/");
  if (below.length > 0) {
    const isCode = below.some((part) => /\.(py|so)$/.test(part));
    return isCode && /^[A-Za-z_]\w*$/.test(top) ? top : null;
  }
  return /^([A-Za-z_]\w*)(\.py|(\.[\w-]+)?\.so)$/.exec(top)?.[1] ?? null;
}

/**
 * Reads a wheel.
 * @param where what to call it in messages
 * @throws AssetError that says why it is none
 */
export async function readWheel(bytes: Uint8Array, where: string): Promise<WheelContent> {
  const { unzipSync } = await import("fflate");
  const damaged = (why: string, cause?: unknown) => new AssetError(`${where} is damaged: ${why}`, { cause });
  const paths: string[] = [];
  const count = wheelBudget();
  let hasMetadata = false;
  let texts: Record<string, Uint8Array>;
  try {
    texts = unzipSync(bytes, {
      filter(entry) {
        const { name, size, originalSize } = entry;
        count(entry);
        paths.push(name);
        if (!/^[^/]+\.dist-info\/METADATA$/.test(name)) return false;
        if (hasMetadata) throw new Error("it has two METADATA");
        hasMetadata = true;
        return Math.max(size, originalSize) <= MOST_METADATA_BYTES;
      },
    });
  } catch (cause) {
    throw damaged((cause as Error).message, cause);
  }
  const [metadata] = Object.values(texts);
  if (!metadata) throw damaged(hasMetadata ? "its METADATA is too large" : "it has no METADATA");
  const imports = new Set<string>();
  for (const path of paths) {
    const module = moduleOf(placeOf(path) ?? "");
    if (module !== null) imports.add(module);
  }
  const read = parseMetadata(new TextDecoder().decode(metadata));
  if (read.name === "" || read.version === "") throw damaged("its METADATA has no name or no version");
  return { ...read, imports: [...imports].sort() };
}

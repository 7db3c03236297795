/** Times, sizes, limits and tiles as they are written on the command line. */
import { UsageError } from "../../runtime/errors.ts";
import type { Limits } from "../../runtime/limits.ts";
import type { Tile } from "../../runtime/udf.ts";
import type { Options } from "./arguments.ts";

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTES: Record<string, number> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

/**
 * Reads a time: `500ms`, `2s`, `1.5m`, `1h`.
 * @returns milliseconds.
 * @throws UsageError that names the option and the text.
 */
export function parseTime(text: string, option: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const milliseconds = Math.round(Number(number) * (MILLISECONDS[unit ?? ""] ?? Number.NaN));
  if (milliseconds > 0 && milliseconds < 2 ** 31) return milliseconds;
  throw new UsageError(
    `Cannot use --${option} ${JSON.stringify(text)}: write a time above 0 such as 500ms, 2s or 1m`,
  );
}

/**
 * Reads a size: `512MB`, `1GB`, `1GiB`. A MB is 2^20 bytes, as memory is counted.
 * @returns bytes.
 * @throws UsageError that names the option and the text.
 */
export function parseSize(text: string, option: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMG]i?B|B)$/i.exec(text) ?? [];
  const bytes = Math.round(
    Number(number) * (BYTES[(unit ?? "").toUpperCase().replace("I", "")] ?? Number.NaN),
  );
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new UsageError(
    `Cannot use --${option} ${JSON.stringify(text)}: write a size above 0 such as 512MB or 1GB`,
  );
}

/** The limits that options name. */
export function limitsFrom(options: Options): Partial<Limits> {
  const time = options.get("time-limit");
  const memory = options.get("memory-limit");
  return {
    ...(time === undefined ? {} : { timeMs: parseTime(time, "time-limit") }),
    ...(memory === undefined ? {} : { memoryBytes: parseSize(memory, "memory-limit") }),
  };
}

/**
 * Reads a map tile `z/x/y`.
 * @throws UsageError where it is none, or lies outside the map.
 */
export function parseTile(text: string): Tile {
  const [, z, x, y] = /^(\d{1,2})\/(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  if (z === undefined)
    throw new UsageError(`Cannot use --tile ${JSON.stringify(text)}: write z/x/y, such as 3/4/2`);
  const tile = { z: Number(z), x: Number(x), y: Number(y) };
  const size = 2 ** tile.z;
  if (tile.z > 30 || tile.x >= size || tile.y >= size) {
    throw new UsageError(
      `Cannot use --tile ${text}: at zoom ${tile.z} x and y go from 0 to ${size - 1}, and zoom ends at 30`,
    );
  }
  return tile;
}

/** `512 B`, `1.5 MB`; a MB is 2^20 bytes, as everywhere here. */
export function showBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  const number = bytes / 2 ** (10 * unit);
  return `${unit === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[unit]}`;
}

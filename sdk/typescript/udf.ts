/**
 * What a TypeScript UDF imports as `fuselet/udf`.
 *
 * @example
 * import { udf, html } from "fuselet/udf";
 * export default udf({ name: "hello" }, ({ name = "world" }: { name?: string }) => html(`<h1>Hello ${name}</h1>`));
 */
import { MediaValue, NdArray, TableValue } from "../../runtime/value.ts";
import { door, type UdfHost } from "./door.ts";

export { api, type FileDetails } from "./api.ts";
export { type CachedFunction, type CacheOptions, cache } from "./cache.ts";
export { context, type UdfContext } from "./context.ts";
export { type Dataset, findDataset, type RegisteredDataset, registerDataset } from "./datasets.ts";
export { type DownloadOptions, download, filePath, type HostFile } from "./files.ts";
export { type HexTableTiming, h3, type IngestRasterOptions, type PartitionOptions } from "./h3.ts";
export {
  type IngestNongeospatialOptions,
  type IngestOptions,
  type IngestStep,
  ingest,
  ingestNongeospatial,
} from "./ingest.ts";
export { options } from "./options.ts";
export { run, type SubmitOptions, submit } from "./run.ts";
export { secrets } from "./secrets.ts";
export { getChunkFromTable, getChunksMetadata, type TableChunk } from "./tables.ts";
export { MediaValue, NdArray, TableValue, type UdfHost };

/** A map tile in the XYZ scheme. A parameter of this type (or called `tile`) is filled in when the UDF is run for a tile. */
export interface Tile {
  x: number;
  y: number;
  z: number;
}

/**
 * West, south, east, north in degrees (EPSG:4326). A parameter of this type (or called `bounds`) is filled in when the UDF
 * is run for a tile.
 */
export type Bounds = [west: number, south: number, east: number, north: number];

/** What a UDF asks for. Only its host grants; names and values are those of the permission descriptor. */
export interface UdfPermissions {
  /** Hosts: `"example.com"`, `"*.example.com:443"`. */
  net?: readonly string[];
  /** Storage prefixes. */
  read?: readonly string[];
  write?: readonly string[];
  secrets?: readonly string[];
  cache?: boolean;
  /** Names of other UDFs. */
  run?: readonly string[];
  /** Instance types. */
  remote?: readonly string[];
  import?: readonly string[];
  native?: boolean;
  /** Why: for all of them, or by permission. It is shown to whoever is asked, as the UDF's own words. */
  reason?: string | { readonly [Permission in keyof Omit<UdfPermissions, "reason">]?: string };
}

/** Options of a UDF: written as literals, because they are read from the source, which is not run for that. */
export interface UdfOptions {
  /** Default: the file's name. */
  name?: string;
  permissions?: UdfPermissions;
  /** Package specifiers. */
  packages?: readonly string[];
  /** How long results are kept: a number of seconds, or a text like `"12h"`. */
  cacheMaxAge?: number | string;
  /** Values for parameters that a caller leaves out. */
  parameters?: Readonly<Record<string, unknown>>;
  /** Shown by catalogues. */
  description?: string;
  /** Anything else that a catalogue or a page reads. */
  metadata?: Readonly<Record<string, unknown>>;
}

/** Declares a UDF: gives back `fn` as it is, so that a test can call it. */
export function udf<Fn extends (...args: never[]) => unknown>(options: UdfOptions, fn: Fn): Fn {
  if (typeof fn !== "function")
    throw new TypeError(
      `Cannot declare a UDF: the second argument must be a function: received ${typeof fn}`,
    );
  void options;
  return fn;
}

/** A page as the result. */
export function html(text: string): MediaValue {
  return new MediaValue("text/html", new TextEncoder().encode(text));
}

/** An image as the result: the bytes of a PNG file. */
export function png(bytes: Uint8Array): MediaValue {
  return new MediaValue("image/png", bytes);
}

/** A table as the result: the bytes of an Arrow IPC stream. */
export function table(arrowIpcBytes: Uint8Array): TableValue {
  return new TableValue(arrowIpcBytes);
}

type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/**
 * An n-dimensional array as the result, row-major. @param shape default: one dimension
 * @throws RangeError where the shape does not have as many elements as the data
 */
export function ndarray(data: Numbers, shape: readonly number[] = [data.length]): NdArray {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== data.length) {
    throw new RangeError(
      `Cannot make an array: shape [${shape.join(", ")}] has ${size} elements: received ${data.length}`,
    );
  }
  return reshape(NdArray.from(data), shape);
}

/** The same array with another shape in its header (numpy/lib/format.py, version 1.0). */
function reshape(array: NdArray, shape: readonly number[]): NdArray {
  const npy = array.npy.slice();
  const start = 10;
  const end = start + ((npy[8] as number) | ((npy[9] as number) << 8));
  const text = String.fromCharCode(...npy.subarray(start, end));
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = text.replace(/\([\d, ]*\)/, tuple).trimEnd();
  if (header.length >= end - start)
    throw new RangeError(`Cannot make an array: ${shape.length} dimensions are too many`);
  const padded = `${header.padEnd(end - start - 1)}\n`;
  for (let i = 0; i < padded.length; i++) npy[start + i] = padded.charCodeAt(i);
  return new NdArray(npy);
}

/** The host of the isolate that this UDF runs in. */
export const host: UdfHost = { call: (name, ...args) => door.call(name, ...args) };

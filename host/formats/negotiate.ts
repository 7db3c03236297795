/** Which format a result is sent in: what was asked for, as far as it suits, else what is natural for it. */
import type { Tile } from "../../runtime/udf.ts";
import { type Encoded, MediaValue, NdArray, TableValue } from "../../runtime/value.ts";
import {
  FORMATS,
  type Format,
  type FormatName,
  type FormattedResult,
  formatResult,
  isFormat,
} from "./formats.ts";
import { isInFormat } from "./signature.ts";
import { isSeveral, placedArray } from "./values.ts";

/** What somebody would like to get. */
export interface Wish {
  /** In order of preference; empty: whatever is natural. */
  formats: readonly FormatName[];
  /** One alone is that or an error, and of several that have JSON, JSON is for bytes too. Else they count for the kinds of results that they suit. */
  isFirm: boolean;
  /** Of what the result is a tile. */
  tile?: Tile | undefined;
  /** Whether NaN and infinities in JSON are read as Python's json module writes them. */
  hasConstants?: boolean;
}

/** Other names that formats go by, in extensions and parameters. */
const ALIASES: Readonly<Record<string, FormatName>> = {
  tif: "tiff",
  geotiff: "tiff",
  txt: "text",
  htm: "html",
  pbf: "mvt",
  geoparquet: "parquet",
  numpy: "npy",
};

/** A format by its name, its extension or another name; undefined where there is none. */
export function formatNamed(name: string): FormatName | undefined {
  const lower = name.toLowerCase();
  return isFormat(lower) ? lower : Object.hasOwn(ALIASES, lower) ? ALIASES[lower] : undefined;
}

/** Formats by the media types of a header `Accept`, in the order of preference; types that are none of ours are left out. */
export function formatsAccepted(accept: string): FormatName[] {
  return accept
    .split(",", 50)
    .map((part) => {
      const [type = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
      const quality = Number(parameters.find((text) => text.startsWith("q="))?.slice(2) ?? 1);
      return { type, quality };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .flatMap(({ type }) => {
      // Browsers say so for an <img>: of ours, they show PNG.
      if (type === "image/*") return ["png"];
      const found = (Object.keys(FORMATS) as FormatName[]).find(
        (name) => FORMATS[name].mediaType.split(";")[0] === type,
      );
      return found ? [found] : [];
    });
}

/**
 * Writes a result as it was wished for. A result that is nothing has no bytes.
 * @param encoded the same as it crossed the wall, where that is known
 * @throws UsageError where the wish is firm and does not suit the result, ResultError where its data is damaged
 */
export async function writeResult(
  value: unknown,
  wish: Wish,
  encoded: Encoded | null = null,
): Promise<FormattedResult> {
  if (value === null || value === undefined)
    return { mediaType: "application/json", bytes: new Uint8Array() };
  const format = choose(value, wish);
  if (format) return formatResult(value, format, { ...wish, encoded });
  if (value instanceof MediaValue) return { mediaType: sentType(value.type), bytes: value.bytes };
  return { mediaType: "application/octet-stream", bytes: value as Uint8Array };
}

/** Whether a result is written as it was wished for without looking into it: a document, bytes, an array as npy. */
export function isAsItIs(value: unknown, wish: Wish): boolean {
  if (value === null || value === undefined || value instanceof MediaValue) return true;
  const format = choose(value, wish);
  return format === undefined || (format === "npy" && value instanceof NdArray);
}

/** The type that a UDF has given to a document, if it is one, as a header can have it. */
function sentType(type: string): string {
  if (!/^[\w.+-]{1,100}\/[\w.+-]{1,100}(;[\x20-\x7e]{0,100})?$/.test(type)) return "application/octet-stream";
  return type.startsWith("text/") && !/;\s*charset=/i.test(type) ? `${type}; charset=utf-8` : type;
}

/** @returns undefined for what is sent as it is: a document, bytes */
function choose(value: unknown, { formats, isFirm, tile }: Wish): FormatName | undefined {
  const [first] = formats;
  if (isFirm && formats.length === 1) return first;
  if (isSeveral(value)) return "zip";
  const suiting =
    formats.find((name) => isNatural(value, name, tile)) ??
    formats.find((name) => (FORMATS[name] as Format).suits(value) || (!isFirm && isWritten(value, name)));
  if (suiting) return suiting;
  // A client that takes JSON at the least gets bytes as text: it would take them for a table.
  if (isFirm && formats.includes("json") && value instanceof Uint8Array) return "json";
  return natural(value);
}

/** Whether a value is bytes that are of a format already: a picture that a UDF drew. */
const isWritten = (value: unknown, name: FormatName) =>
  value instanceof Uint8Array && isInFormat(value, name);

/** Whether a format is one of the kind that a value is: a list of records is no table, though it can be written as one. */
function isNatural(value: unknown, name: FormatName, tile: Tile | undefined): boolean {
  const { suits } = FORMATS[name] as Format;
  const placed = placedArray(value);
  if (placed) return (name === "tiff" || name === "png") && suits(placed.array);
  if (value instanceof NdArray) return (name === "npy" || name === "tiff" || name === "png") && suits(value);
  if (value instanceof TableValue) {
    if (name === "mvt") return tile !== undefined && FORMATS.geojson.suits(value);
    return name !== "text" && suits(value);
  }
  if (value instanceof MediaValue) return suits(value);
  return (name === "json" || name === "html" || name === "text") && suits(value);
}

/** What a result is best sent as where nobody says anything. */
function natural(value: unknown): FormatName | undefined {
  if (value instanceof MediaValue || value instanceof Uint8Array) return undefined;
  if (placedArray(value)) return "tiff";
  if (value instanceof NdArray) return FORMATS.png.suits(value) ? "png" : "npy";
  if (value instanceof TableValue) return FORMATS.geojson.suits(value) ? "geojson" : "json";
  if (typeof value === "string" && /^\s*<(!doctype html|html)\b/i.test(value)) return "html";
  return "json";
}

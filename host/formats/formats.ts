/** The table of formats: what a result can be written as. Each format is one file, and all but JSON are loaded when they are used. */
import { FuseletError, ResultError, UsageError } from "../../runtime/errors.ts";
import type { Tile } from "../../runtime/udf.ts";
import { type Encoded, MediaValue, NdArray, TableValue } from "../../runtime/value.ts";
import { encodeJson, isJsonDocument } from "./json.ts";
import type { WasmSource } from "./parquet.ts";
import { isInFormat } from "./signature.ts";
import { describeValue, isObject, isRecords, isSeveral, placedArray, UnsuitableError } from "./values.ts";

export interface FormatOptions {
  /** JSON with line breaks, for people. Default: one line. */
  pretty?: boolean;
  /** In pages: where parquet-wasm's binary is. Default: beside the module. */
  parquetWasm?: WasmSource;
  /** For vector tiles: which one. */
  tile?: Tile | undefined;
  /** For archives: what their members are written as, in order of preference. */
  formats?: readonly string[];
  /** The value as it crossed the wall, where that is known: it has what JavaScript's numbers and objects do not keep. */
  encoded?: Encoded | null;
  /** For JSON: whoever asked reads NaN and infinities as Python's json module writes them. */
  hasConstants?: boolean;
}

export interface Format {
  mediaType: string;
  /** With the dot. */
  extension: string;
  encode(value: unknown, options: FormatOptions): Promise<Uint8Array>;
  /** Whether the format suits a value: what is suggested when another does not. */
  suits(value: unknown): boolean;
}

const isTable = (value: unknown) => value instanceof TableValue || isRecords(value);
const isMedia = (value: unknown, type: RegExp) => value instanceof MediaValue && type.test(value.type);
const isImage = (value: unknown, dtypes: RegExp) =>
  value instanceof NdArray &&
  (value.shape.length === 2 || value.shape.length === 3) &&
  dtypes.test(value.dtype);
const isGeo = (value: unknown) =>
  value instanceof TableValue
    ? value.kind.startsWith("geo")
    : isObject(value) &&
      /^(Feature(Collection)?|(Multi)?(Point|LineString|Polygon)|GeometryCollection)$/.test(
        String(value.type),
      );

/** All formats, in the order in which they are suggested. */
export const FORMATS = {
  json: {
    mediaType: "application/json",
    extension: ".json",
    encode: async (value, options) =>
      options.encoded && !options.pretty && !isJsonDocument(value)
        ? (await import("./encoded-json.ts")).encodedJson(options.encoded, options)
        : encodeJson(value, options),
    suits: (value) => !(value instanceof MediaValue || value instanceof Uint8Array),
  },
  csv: {
    mediaType: "text/csv; charset=utf-8",
    extension: ".csv",
    encode: async (value) => (await import("./csv.ts")).encodeCsv(value),
    suits: (value) => isTable(value) || isMedia(value, /^text\/csv/),
  },
  geojson: {
    mediaType: "application/geo+json",
    extension: ".geojson",
    encode: async (value, options) => (await import("./geojson.ts")).encodeGeoJson(value, options),
    suits: (value) => isGeo(value) || isMedia(value, /geo\+json/),
  },
  parquet: {
    mediaType: "application/vnd.apache.parquet",
    extension: ".parquet",
    encode: async (value, { parquetWasm }) =>
      (await import("./parquet.ts")).encodeParquet(
        value,
        parquetWasm === undefined ? {} : { wasm: parquetWasm },
      ),
    suits: (value) => isTable(value) || isMedia(value, /apache\.parquet/),
  },
  arrow: {
    mediaType: "application/vnd.apache.arrow.stream",
    extension: ".arrow",
    encode: async (value) => (await import("./arrow.ts")).encodeArrow(value),
    suits: (value) => isTable(value) || isMedia(value, /apache\.arrow/),
  },
  html: {
    mediaType: "text/html; charset=utf-8",
    extension: ".html",
    encode: async (value) => (await import("./html.ts")).encodeHtml(value),
    suits: (value) => isTable(value) || typeof value === "string" || isMedia(value, /html/),
  },
  png: {
    mediaType: "image/png",
    extension: ".png",
    encode: async (value) => (await import("./png.ts")).encodePng(value),
    suits: (value) => isImage(value, /^\|[ub]1$/) || isMedia(value, /^image\/png/),
  },
  tiff: {
    mediaType: "image/tiff",
    extension: ".tiff",
    encode: async (value) => (await import("./tiff.ts")).encodeTiff(value),
    suits: (value) => isImage(value, /^(\|[uib]1|<[ui][248]|<f[48])$/) || isMedia(value, /^image\/tiff/),
  },
  npy: {
    mediaType: "application/x-numpy-data",
    extension: ".npy",
    encode: async (value) => (await import("./npy.ts")).encodeNpy(value),
    suits: (value) => value instanceof NdArray || placedArray(value) !== null || isMedia(value, /numpy/),
  },
  text: {
    mediaType: "text/plain; charset=utf-8",
    extension: ".txt",
    encode: async (value) => (await import("./text.ts")).encodeText(value),
    suits: (value) =>
      !(value instanceof MediaValue || value instanceof Uint8Array) || isMedia(value, /^text\//),
  },
  zip: {
    mediaType: "application/zip",
    extension: ".zip",
    encode: async (value, options) => (await import("./zip.ts")).encodeZip(value, options),
    suits: isSeveral,
  },
  mvt: {
    mediaType: "application/vnd.mapbox-vector-tile",
    extension: ".mvt",
    encode: async (value, { tile }) => (await import("./mvt.ts")).encodeMvt(value, tile),
    // For geographic values of a tile, which only those know who ask for one.
    suits: (value) => isMedia(value, /mapbox-vector-tile/),
  },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

/** A result, ready to be written or sent. */
export interface FormattedResult {
  mediaType: string;
  bytes: Uint8Array;
}

/** Whether a name is that of a format. */
export function isFormat(name: string): name is FormatName {
  return Object.hasOwn(FORMATS, name);
}

/**
 * Writes a decoded value (runtime/value.ts) in a format.
 * @throws UsageError where there is no such format, or it cannot hold the value: it says which can.
 */
export async function formatResult(
  value: unknown,
  format: string,
  options: FormatOptions = {},
): Promise<FormattedResult> {
  if (!isFormat(format)) {
    throw new UsageError(
      `Unknown format ${JSON.stringify(format)}: it is one of ${Object.keys(FORMATS).join(", ")}`,
    );
  }
  const { mediaType, encode } = FORMATS[format] as Format;
  if (value instanceof Uint8Array && isInFormat(value, format)) return { mediaType, bytes: value };
  try {
    return { mediaType, bytes: await encode(value ?? null, options) };
  } catch (error) {
    if (error instanceof FuseletError) throw error;
    if (!(error instanceof UnsuitableError)) {
      // The data is the UDF's: an offset outside of its buffer shows up anywhere.
      throw new ResultError(`Cannot write the result as ${format}: ${(error as Error).message}`, {
        path: "result",
      });
    }
    throw new UsageError(
      `Cannot write the result as ${format}: ${error.message}. ${suggestion(value ?? null, format)}`,
    );
  }
}

function suggestion(value: unknown, format: FormatName): string {
  const names = (Object.keys(FORMATS) as FormatName[]).filter(
    (name) => name !== format && FORMATS[name].suits(value),
  );
  if (names.length) return `Formats that suit it: ${names.join(", ")}`;
  return `It can only be written as it is: ${describeValue(value)}`;
}

/** What kind of value a result is, which decides the formats that suit it. */
import { MediaValue, NdArray, TableValue } from "../../runtime/value.ts";

/** A list of objects: the rows of a table. */
export type Records = readonly Readonly<Record<string, unknown>>[];

export const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null &&
  typeof value === "object" &&
  !Array.isArray(value) &&
  !(
    value instanceof Uint8Array ||
    value instanceof NdArray ||
    value instanceof TableValue ||
    value instanceof MediaValue
  );

/** Whether a value is a list of objects, at least one. */
export function isRecords(value: unknown): value is Records {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

/** Whether a value is an object of results, of which some are no JSON: tables, arrays, documents, bytes. */
export function isSeveral(value: unknown): value is Record<string, unknown> {
  return (
    isObject(value) && Object.values(value).some((item) => item instanceof Uint8Array || isSpecial(item))
  );
}

const isSpecial = (value: unknown) =>
  value instanceof NdArray || value instanceof TableValue || value instanceof MediaValue;

/** An array and where on earth it lies: west, south, east, north, as UDFs return `array, bounds`. */
export interface PlacedArray {
  array: NdArray;
  bounds: readonly [number, number, number, number];
}

/** Reads `[array, bounds]`; null for anything else. */
export function placedArray(value: unknown): PlacedArray | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [array, bounds] = value as unknown[];
  if (!(array instanceof NdArray) || !Array.isArray(bounds) || bounds.length !== 4) return null;
  if (!bounds.every(Number.isFinite)) return null;
  return { array, bounds: bounds as unknown as PlacedArray["bounds"] };
}

/** How messages call a value. */
export function describeValue(value: unknown): string {
  if (value === null) return "nothing (None)";
  if (value instanceof TableValue) return value.kind === "arrow" ? "an Arrow table" : `a ${value.kind}`;
  if (value instanceof NdArray)
    return `an array of ${value.dtype} with the shape (${value.shape.join(", ")})`;
  if (value instanceof MediaValue) return `a document of type ${value.type}`;
  if (value instanceof Uint8Array) return "bytes";
  if (isRecords(value)) return "a list of records";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}

/** Thrown by a format that cannot hold a value; `formatResult` adds which formats can. */
export class UnsuitableError extends Error {
  override readonly name = "UnsuitableError";
}

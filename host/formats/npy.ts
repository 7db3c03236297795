/** numpy's .npy files: arrays as they are, and one-dimensional ones from lists of numbers. */
import { MediaValue, NdArray } from "../../runtime/value.ts";
import { describeValue, placedArray, UnsuitableError } from "./values.ts";

/** Encodes an array or a list of numbers. @throws UnsuitableError for anything else. */
export function encodeNpy(value: unknown): Uint8Array {
  if (value instanceof NdArray) return value.npy;
  const placed = placedArray(value);
  if (placed) return placed.array.npy;
  if (value instanceof MediaValue && value.type === "application/x-numpy-data") return value.bytes;
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "number")) {
    return NdArray.from(Float64Array.from(value)).npy;
  }
  throw new UnsuitableError(`it is ${describeValue(value)}`);
}

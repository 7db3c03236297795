/** PNG (https://www.w3.org/TR/png-3): images of 8 bits a sample, 1 to 4 bands, filtered by rows and deflated. */
import { zlibSync } from "fflate";
import { concat } from "../../runtime/bytes.ts";
import { MediaValue, NdArray } from "../../runtime/value.ts";
import { crc32 } from "../udfs/zip.ts";
import { type Elements, rasterOf } from "./ndarray.ts";
import { describeValue, placedArray, UnsuitableError } from "./values.ts";

/** Colour types by the number of bands: grey, grey with alpha, RGB, RGBA. */
const COLOR_TYPES = [0, 4, 2, 6];

/** Encodes an array of uint8 or bool, with bounds or without, or a document that is a PNG. @throws UnsuitableError for anything else. */
export function encodePng(given: unknown): Uint8Array {
  if (given instanceof MediaValue && given.type === "image/png") return given.bytes;
  const value = placedArray(given)?.array ?? given;
  if (!(value instanceof NdArray)) throw new UnsuitableError(`it is ${describeValue(value)}`);
  if (value.dtype !== "|u1" && value.dtype !== "|b1") {
    throw new UnsuitableError(`its dtype is ${value.dtype}; scale it to uint8 in the UDF`);
  }
  const { width, height, bands, samples } = rasterOf(value);
  const colorType = COLOR_TYPES[bands - 1];
  if (colorType === undefined) throw new UnsuitableError(`it has ${bands} bands; a PNG has 1 to 4`);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, colorType, 0, 0, 0], 8);
  const scale = value.dtype === "|b1" ? 255 : 1;
  return concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    chunk("IDAT", zlibSync(filterRows(samples, width * bands, height, bands, scale), { level: 6 })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** Each row as the difference to the row above (filter 2) or to the pixel before (filter 1), whichever is smaller. */
function filterRows(
  samples: Elements,
  stride: number,
  height: number,
  bands: number,
  scale: number,
): Uint8Array {
  const out = new Uint8Array((stride + 1) * height);
  const sample = (row: number, column: number) =>
    row < 0 || column < 0 ? 0 : Number(samples[row * stride + column]) * scale;
  const size = (difference: number) => Math.min(difference & 255, 256 - (difference & 255));
  for (let row = 0; row < height; row++) {
    let [left, up] = [0, 0];
    for (let column = 0; column < stride; column++) {
      left += size(sample(row, column) - sample(row, column - bands));
      up += size(sample(row, column) - sample(row - 1, column));
    }
    const at = row * (stride + 1);
    const isUp = row > 0 && up < left;
    out[at] = isUp ? 2 : 1;
    for (let column = 0; column < stride; column++) {
      out[at + 1 + column] =
        sample(row, column) - (isUp ? sample(row - 1, column) : sample(row, column - bands));
    }
  }
  return out;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let index = 0; index < 4; index++) bytes[4 + index] = type.charCodeAt(index);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

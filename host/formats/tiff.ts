/**
 * TIFF 6.0 (Adobe, 1992), one strip, deflated (compression 8 of Technote 2), little-endian. An array with bounds is a GeoTIFF (OGC 19-008r4).
 * What it was before is told in GDAL's own tag (gdal.org/drivers/raster/gtiff.html), in the domain `fused`: `orig_type`, `shape`, `bounds`.
 */
import { zlibSync } from "fflate";
import { MediaValue, NdArray } from "../../runtime/value.ts";
import { type Raster, rasterOf } from "./ndarray.ts";
import { describeValue, type PlacedArray, placedArray, UnsuitableError } from "./values.ts";

/** Bytes a sample, SampleFormat (1 unsigned, 2 signed, 3 float), and how a sample is written. */
type Samples = [
  bytes: number,
  format: number,
  write: (view: DataView, at: number, value: number | bigint) => void,
];
const SAMPLES: Record<string, Samples> = {
  "|b1": [1, 1, (view, at, value) => view.setUint8(at, Number(value) * 255)],
  "|u1": [1, 1, (view, at, value) => view.setUint8(at, Number(value))],
  "|i1": [1, 2, (view, at, value) => view.setInt8(at, Number(value))],
  "<u2": [2, 1, (view, at, value) => view.setUint16(at, Number(value), true)],
  "<i2": [2, 2, (view, at, value) => view.setInt16(at, Number(value), true)],
  "<u4": [4, 1, (view, at, value) => view.setUint32(at, Number(value), true)],
  "<i4": [4, 2, (view, at, value) => view.setInt32(at, Number(value), true)],
  "<u8": [8, 1, (view, at, value) => view.setBigUint64(at, BigInt(value), true)],
  "<i8": [8, 2, (view, at, value) => view.setBigInt64(at, BigInt(value), true)],
  "<f4": [4, 3, (view, at, value) => view.setFloat32(at, Number(value), true)],
  "<f8": [8, 3, (view, at, value) => view.setFloat64(at, Number(value), true)],
};

const ASCII = 2;
const SHORT = 3;
const LONG = 4;
const DOUBLE = 12;
const BYTES: Readonly<Record<number, number>> = { [ASCII]: 1, [SHORT]: 2, [LONG]: 4, [DOUBLE]: 8 };

type Tag = [tag: number, type: number, values: ArrayLike<number>];

/** Encodes an array, with bounds or without, or a document that is a TIFF. @throws UnsuitableError for anything else. */
export function encodeTiff(given: unknown): Uint8Array {
  if (given instanceof MediaValue && given.type.startsWith("image/tiff")) return given.bytes;
  const placed = placedArray(given);
  const value = placed?.array ?? given;
  if (!(value instanceof NdArray)) throw new UnsuitableError(`it is ${describeValue(value)}`);
  const samples = SAMPLES[value.dtype];
  if (!samples)
    throw new UnsuitableError(`its dtype is ${value.dtype}; use ${Object.keys(SAMPLES).join(", ")}`);
  const raster = rasterOf(value);
  if (raster.bands > 65_535) throw new UnsuitableError(`it has ${raster.bands} bands`);
  const { width, height, bands } = raster;
  // As readers give it back: bands first.
  const shape = value.shape.length === 2 ? [height, width] : [bands, height, width];
  return writeFile(raster, samples, [
    ...(placed ? placeTags(raster, placed.bounds) : []),
    gdalTag({
      orig_type: "numpy.ndarray",
      shape: JSON.stringify(shape),
      ...(placed ? { bounds: JSON.stringify(placed.bounds) } : {}),
    }),
  ]);
}

/** GDAL_METADATA. The values are ours, and need no escapes. */
function gdalTag(items: Readonly<Record<string, string>>): Tag {
  const lines = Object.entries(items).map(
    ([name, value]) => `  <Item name="${name}" domain="fused">${value}</Item>\n`,
  );
  return [42_112, ASCII, new TextEncoder().encode(`<GDALMetadata>\n${lines.join("")}</GDALMetadata>\n\0`)];
}

/** ModelPixelScale, ModelTiepoint and GeoKeyDirectory: the left upper corner and the size of a pixel; WGS 84 where these can be degrees. */
function placeTags({ width, height }: Raster, [west, south, east, north]: PlacedArray["bounds"]): Tag[] {
  const areDegrees =
    Math.max(Math.abs(west), Math.abs(east)) <= 360 && Math.max(Math.abs(south), Math.abs(north)) <= 90;
  return [
    [33_550, DOUBLE, [(east - west) / width, (north - south) / height, 0]],
    [33_922, DOUBLE, [0, 0, 0, west, north, 0]],
    ...(areDegrees
      ? ([[34_735, SHORT, [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326]]] satisfies Tag[])
      : []),
  ];
}

/** @param more tags behind those of the image, in rising order */
function writeFile(
  { width, height, bands, samples }: Raster,
  [sampleBytes, sampleFormat, write]: Samples,
  more: readonly Tag[],
): Uint8Array {
  const pixels = new Uint8Array(samples.length * sampleBytes);
  const view = new DataView(pixels.buffer);
  for (let index = 0; index < samples.length; index++)
    write(view, index * sampleBytes, samples[index] as number | bigint);
  const strip = zlibSync(pixels);
  const isColor = sampleBytes === 1 && bands >= 3;
  const extraSamples = bands - (isColor ? 3 : 1);
  const isAlpha = sampleBytes === 1 && extraSamples === 1;
  const every = (item: number) => Array<number>(bands).fill(item);
  return assemble(strip, [
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, every(sampleBytes * 8)],
    [259, SHORT, [8]],
    [262, SHORT, [isColor ? 2 : 1]],
    [273, LONG, [STRIP_AT]],
    [277, SHORT, [bands]],
    [278, LONG, [height]],
    [279, LONG, [strip.length]],
    [284, SHORT, [1]],
    ...(extraSamples > 0
      ? ([[338, SHORT, Array<number>(extraSamples).fill(isAlpha ? 2 : 0)]] satisfies Tag[])
      : []),
    [339, SHORT, every(sampleFormat)],
    ...more,
  ]);
}

/** Header, strip, directory, then the values that do not fit into the directory. */
const STRIP_AT = 8;

function assemble(strip: Uint8Array, tags: readonly Tag[]): Uint8Array {
  const directoryAt = STRIP_AT + strip.length + (strip.length % 2);
  const valuesAt = directoryAt + 2 + 12 * tags.length + 4;
  const sizeOf = ([, type, values]: Tag) => values.length * (BYTES[type] as number);
  const outside = tags.map((tag) => (sizeOf(tag) > 4 ? sizeOf(tag) : 0));
  const bytes = new Uint8Array(valuesAt + outside.reduce((sum, size) => sum + size + (size % 2), 0));
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, directoryAt, true);
  bytes.set(strip, STRIP_AT);
  view.setUint16(directoryAt, tags.length, true);
  let free = valuesAt;
  tags.forEach(([tag, type, values], index) => {
    const at = directoryAt + 2 + 12 * index;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, values.length, true);
    const size = outside[index] as number;
    const target = size ? free : at + 8;
    if (size) view.setUint32(at + 8, free, true);
    for (let position = 0; position < values.length; position++) {
      const item = values[position] as number;
      const place = target + (BYTES[type] as number) * position;
      if (type === ASCII) view.setUint8(place, item);
      else if (type === SHORT) view.setUint16(place, item, true);
      else if (type === LONG) view.setUint32(place, item, true);
      else view.setFloat64(place, item, true);
    }
    free += size + (size % 2);
  });
  return bytes;
}

/** TIFF 6.0 (Adobe, 1992), one strip, deflated (compression 8 of Technote 2), little-endian; any numeric dtype up to 64 bits float. */
import { zlibSync } from "fflate";
import { MediaValue, NdArray } from "../../runtime/value.ts";
import { type Raster, rasterOf } from "./ndarray.ts";
import { describeValue, UnsuitableError } from "./values.ts";

/** Bytes a sample, SampleFormat (1 unsigned, 2 signed, 3 float), and how a sample is written. */
const SAMPLES: Record<
  string,
  [bytes: number, format: number, write: (view: DataView, at: number, value: number) => void]
> = {
  "|b1": [1, 1, (view, at, value) => view.setUint8(at, value * 255)],
  "|u1": [1, 1, (view, at, value) => view.setUint8(at, value)],
  "|i1": [1, 2, (view, at, value) => view.setInt8(at, value)],
  "<u2": [2, 1, (view, at, value) => view.setUint16(at, value, true)],
  "<i2": [2, 2, (view, at, value) => view.setInt16(at, value, true)],
  "<u4": [4, 1, (view, at, value) => view.setUint32(at, value, true)],
  "<i4": [4, 2, (view, at, value) => view.setInt32(at, value, true)],
  "<f4": [4, 3, (view, at, value) => view.setFloat32(at, value, true)],
  "<f8": [8, 3, (view, at, value) => view.setFloat64(at, value, true)],
};

const SHORT = 3;
const LONG = 4;

/** Encodes an array, or a document that is a TIFF. @throws UnsuitableError for anything else. */
export function encodeTiff(value: unknown): Uint8Array {
  if (value instanceof MediaValue && value.type.startsWith("image/tiff")) return value.bytes;
  if (!(value instanceof NdArray)) throw new UnsuitableError(`it is ${describeValue(value)}`);
  const samples = SAMPLES[value.dtype];
  if (!samples)
    throw new UnsuitableError(`its dtype is ${value.dtype}; use ${Object.keys(SAMPLES).join(", ")}`);
  const raster = rasterOf(value);
  if (raster.bands > 65_535) throw new UnsuitableError(`it has ${raster.bands} bands`);
  return writeFile(raster, samples);
}

function writeFile(raster: Raster, [sampleBytes, sampleFormat, write]: (typeof SAMPLES)[string]): Uint8Array {
  const { width, height, bands, samples } = raster;
  const pixels = new Uint8Array(samples.length * sampleBytes);
  const view = new DataView(pixels.buffer);
  for (let index = 0; index < samples.length; index++)
    write(view, index * sampleBytes, Number(samples[index]));
  const strip = zlibSync(pixels);
  const isColor = sampleBytes === 1 && bands >= 3;
  const extraSamples = bands - (isColor ? 3 : 1);
  const isAlpha = sampleBytes === 1 && extraSamples === 1;
  const every = (item: number) => Array<number>(bands).fill(item);
  const stripAt = 8;
  const tags: [tag: number, type: number, values: number[]][] = [
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, every(sampleBytes * 8)],
    [259, SHORT, [8]],
    [262, SHORT, [isColor ? 2 : 1]],
    [273, LONG, [stripAt]],
    [277, SHORT, [bands]],
    [278, LONG, [height]],
    [279, LONG, [strip.length]],
    [284, SHORT, [1]],
    ...(extraSamples > 0
      ? ([[338, SHORT, Array<number>(extraSamples).fill(isAlpha ? 2 : 0)]] as [number, number, number[]][])
      : []),
    [339, SHORT, every(sampleFormat)],
  ];
  return assemble(strip, tags);
}

/** Header, strip, directory, then the values that do not fit into the directory. */
function assemble(
  strip: Uint8Array,
  tags: readonly [tag: number, type: number, values: number[]][],
): Uint8Array {
  const directoryAt = 8 + strip.length + (strip.length % 2);
  const valuesAt = directoryAt + 2 + 12 * tags.length + 4;
  const sizeOf = (type: number) => (type === SHORT ? 2 : 4);
  const outside = tags.map(([, type, values]) =>
    values.length * sizeOf(type) > 4 ? values.length * sizeOf(type) : 0,
  );
  const bytes = new Uint8Array(valuesAt + outside.reduce((sum, size) => sum + size + (size % 2), 0));
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, directoryAt, true);
  bytes.set(strip, 8);
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
    values.forEach((item, position) => {
      if (type === SHORT) view.setUint16(target + 2 * position, item, true);
      else view.setUint32(target + 4 * position, item, true);
    });
    free += size + (size % 2);
  });
  return bytes;
}

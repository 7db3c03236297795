/** Arrays as JavaScript reads them: nested lists, and images as bands of samples. */
import { NdArray } from "../../runtime/value.ts";
import { UnsuitableError } from "./values.ts";

/** A typed array. */
export type Elements = NdArray["data"];

/** More lists and elements than this are no JSON that anybody reads, and fill memory; an empty array can have any number of lists. */
const MAX_ITEMS = 20_000_000;

/** Whether the file holds its elements column by column. Source: numpy/lib/format.py. */
function isColumnMajor({ npy }: NdArray): boolean {
  return /'fortran_order':\s*True/.test(String.fromCharCode(...npy.subarray(10, 10 + 118)));
}

/** The elements, row by row. @throws UnsuitableError for a dtype that JavaScript has no number for. */
export function elementsOf(array: NdArray): Elements {
  let data: Elements;
  try {
    // A view of its own: a Buffer's slice() would share the memory of its pool.
    const { buffer, byteOffset, byteLength } = array.npy;
    data = new NdArray(new Uint8Array(buffer, byteOffset, byteLength)).data;
  } catch {
    throw new UnsuitableError(`its dtype is ${array.dtype}`);
  }
  if (data.length < array.shape.reduce((size, length) => size * length, 1))
    throw new UnsuitableError("its data is cut off");
  return isColumnMajor(array) ? toRowMajor(data, array.shape) : data;
}

function toRowMajor(data: Elements, shape: readonly number[]): Elements {
  const strides: number[] = [];
  shape.reduce((stride, length) => {
    strides.push(stride);
    return stride * length;
  }, 1);
  const ordered = data.slice();
  for (let position = 0; position < data.length; position++) {
    let rest = position;
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] as number;
      from += (rest % length) * (strides[axis] as number);
      rest = Math.floor(rest / length);
    }
    ordered[position] = data[from] as never;
  }
  return ordered;
}

/** The array as nested lists; one without dimensions is its element. Booleans are booleans. */
export function nestedList(array: NdArray): unknown {
  const data = elementsOf(array);
  let lists = 1;
  for (const length of array.shape.slice(0, -1)) lists *= length || 1;
  if (lists + data.length > MAX_ITEMS) throw new UnsuitableError(`its shape is (${array.shape.join(", ")})`);
  const isBoolean = array.dtype === "|b1";
  let at = 0;
  const build = (axis: number): unknown => {
    if (axis === array.shape.length) {
      const element = data[at++];
      return isBoolean ? element !== 0 : element;
    }
    return Array.from({ length: array.shape[axis] as number }, () => build(axis + 1));
  };
  return build(0);
}

/** An image: samples pixel by pixel, the bands of a pixel side by side. */
export interface Raster {
  width: number;
  height: number;
  bands: number;
  dtype: string;
  samples: Elements;
}

/**
 * Reads an array of two dimensions (height, width) or three: bands last (height, width, bands), as images have them, or
 * bands first, as rasters have them. An end of at most 4 is the bands, the last before the first; else the shorter end.
 * @throws UnsuitableError for other shapes.
 */
export function rasterOf(array: NdArray): Raster {
  const { shape, dtype } = array;
  const [first = 0, second = 0, third = 1] = shape;
  if ((shape.length !== 2 && shape.length !== 3) || shape.includes(0)) {
    throw new UnsuitableError(
      `its shape is (${shape.join(", ")}); an image has (height, width) or (height, width, bands)`,
    );
  }
  const samples = elementsOf(array);
  if (shape.length === 2 || third <= 4 || (first > 4 && third <= first))
    return { height: first, width: second, bands: third, dtype, samples };
  const [bands, height, width] = [first, second, third];
  const pixels = height * width;
  const interleaved = samples.slice();
  for (let band = 0; band < bands; band++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      interleaved[pixel * bands + band] = samples[band * pixels + pixel] as never;
    }
  }
  return { width, height, bands, dtype, samples: interleaved };
}

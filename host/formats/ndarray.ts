/** Arrays as JavaScript reads them: nested lists, and images as bands of samples. */
import type { NdArray } from "../../runtime/value.ts";
import { UnsuitableError } from "./values.ts";

/** Whether the file holds its elements column by column. Source: numpy/lib/format.py. */
function isColumnMajor({ npy }: NdArray): boolean {
  return /'fortran_order':\s*True/.test(String.fromCharCode(...npy.subarray(10, 10 + 118)));
}

/** The elements, row by row. @throws UnsuitableError for a dtype that JavaScript has no number for. */
export function elementsOf(array: NdArray): ArrayLike<number | bigint> {
  let data: ArrayLike<number | bigint>;
  try {
    data = array.data;
  } catch {
    throw new UnsuitableError(`its dtype is ${array.dtype}`);
  }
  if (data.length < array.shape.reduce((size, length) => size * length, 1))
    throw new UnsuitableError("its data is cut off");
  return isColumnMajor(array) ? toRowMajor(data, array.shape) : data;
}

function toRowMajor(data: ArrayLike<number | bigint>, shape: readonly number[]): (number | bigint)[] {
  const strides: number[] = [];
  shape.reduce((stride, length) => {
    strides.push(stride);
    return stride * length;
  }, 1);
  return Array.from({ length: data.length }, (_, position) => {
    let rest = position;
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] as number;
      from += (rest % length) * (strides[axis] as number);
      rest = Math.floor(rest / length);
    }
    return data[from] as number | bigint;
  });
}

/** The array as nested lists; one without dimensions is its element. Booleans are booleans. */
export function nestedList(array: NdArray): unknown {
  const data = elementsOf(array);
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
  samples: ArrayLike<number | bigint>;
}

/**
 * Reads an array of two dimensions (height, width) or three: bands last (height, width, bands), as images have them, or
 * bands first, as rasters have them. The shorter end is the bands; bands last where both are alike.
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
  if (shape.length === 2 || third <= first)
    return { height: first, width: second, bands: third, dtype, samples };
  const [bands, height, width] = [first, second, third];
  const pixels = height * width;
  const interleaved = Array.from({ length: samples.length }, (_, position) => {
    const pixel = Math.floor(position / bands);
    return samples[(position % bands) * pixels + pixel] as number | bigint;
  });
  return { width, height, bands, dtype, samples: interleaved };
}

/** Which format bytes are in, by how they begin: a UDF that has written a file itself returns its bytes. */

/** From the specifications of the formats: their first bytes. */
const SIGNATURES = {
  png: [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  tiff: [
    [0x49, 0x49, 0x2a, 0x00],
    [0x4d, 0x4d, 0x00, 0x2a],
    // BigTIFF
    [0x49, 0x49, 0x2b, 0x00],
    [0x4d, 0x4d, 0x00, 0x2b],
  ],
  npy: [[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]],
  parquet: [[0x50, 0x41, 0x52, 0x31]],
  zip: [
    [0x50, 0x4b, 0x03, 0x04],
    [0x50, 0x4b, 0x05, 0x06],
  ],
} as const;

/** Whether bytes are in a format already. */
export function isInFormat(bytes: Uint8Array, format: string): boolean {
  const beginnings = Object.hasOwn(SIGNATURES, format) ? SIGNATURES[format as keyof typeof SIGNATURES] : [];
  return beginnings.some((beginning) => beginning.every((byte, i) => bytes[i] === byte));
}

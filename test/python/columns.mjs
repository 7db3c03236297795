/**
 * What the host makes of frames that came as columns: for each one on standard input, an Arrow stream or the reason why not.
 * A message is a byte (1: a stream, 0: a reason; absent on the way in) and blobs, each with its length in 32 bits; a request is a
 * count of blobs, the JSON text and its buffers.
 */
import { readSync, writeSync } from "node:fs";
import { tableBuilder } from "../../runtime/columns.ts";
import { decodeValue } from "../../runtime/value.ts";

function read(length) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const got = readSync(0, bytes, at, length - at, null);
    if (got === 0) process.exit();
    at += got;
  }
  return bytes;
}

const number = () => new DataView(read(4).buffer).getUint32(0, true);

function write(bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

function answer(status, bytes) {
  const head = new DataView(new ArrayBuffer(5));
  head.setUint8(0, status);
  head.setUint32(1, bytes.length, true);
  write(new Uint8Array(head.buffer));
  write(bytes);
}

for (;;) {
  const blobs = [];
  for (let left = number(); left > 0; left--) blobs.push(read(number()));
  const [head, ...buffers] = blobs;
  const text = new TextDecoder().decode(head);
  try {
    answer(1, decodeValue({ text, buffers }, await tableBuilder(text)).ipc);
  } catch (error) {
    answer(0, new TextEncoder().encode(error.stack));
  }
}

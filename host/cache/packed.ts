/** An encoded value as one body of the cache: a frame (runtime/channel.ts), whose lengths are checked on the way back. */
import { concat } from "../../runtime/bytes.ts";
import { decodeFrame, encodeFrameHead } from "../../runtime/channel.ts";
import type { Encoded } from "../../runtime/value.ts";

const LENGTH_FIELD = 4;

/** @throws IsolateError for more than 65,535 buffers, or 4 GiB */
export function pack({ text, buffers }: Encoded): Uint8Array {
  return concat([encodeFrameHead({ kind: "reply", id: 0, name: "", text, buffers }), ...buffers]);
}

/** Buffers are views on the body. @throws IsolateError for what `pack` has not made */
export function unpack(body: Uint8Array): Encoded {
  const { text, buffers } = decodeFrame(body.subarray(LENGTH_FIELD));
  return { text, buffers };
}

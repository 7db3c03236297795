/** What runs in a thread of result-threads.node.ts: writes one result after the other. */
import { parentPort } from "node:worker_threads";
import { tableBuilder } from "../../runtime/columns.ts";
import { FuseletError } from "../../runtime/errors.ts";
import { decodeValue, type Encoded } from "../../runtime/value.ts";
import type { FormattedResult } from "../formats/formats.ts";
import { type Wish, writeResult } from "../formats/negotiate.ts";

export interface ThreadTask {
  encoded: Encoded;
  wish: Wish;
}

/** `failure`: the name of one of our errors, or null. */
export type ThreadAnswer =
  | { written: FormattedResult }
  | { failure: string | null; message: string; stack: string | undefined };

parentPort?.on("message", async ({ encoded, wish }: ThreadTask) => {
  try {
    const value = decodeValue(encoded, await tableBuilder(encoded.text));
    const { mediaType, bytes } = await writeResult(value, wish, encoded);
    // What is a part of a larger memory is copied: all of it would go over.
    const whole = bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
    answer({ written: { mediaType, bytes: whole } }, [whole.buffer as ArrayBuffer]);
  } catch (error) {
    const { name, message, stack } = error as Error;
    answer({ failure: error instanceof FuseletError ? name : null, message, stack });
  }
});

function answer(message: ThreadAnswer, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

/** Calls of the host: each goes out with a number, and the answer comes back with it. */
import type { GuestFailure } from "../../../udf.ts";
import { OP } from "../ops.ts";
import { Bytes, create, exactBuffer, host, parseJson } from "./host.ts";

/** @param value parsed, and still encoded as in runtime/value.ts @param buffers how many there are for `takeBuffer` now */
type Answered = (value: unknown, buffers: number) => void;
type Failed = (failure: GuestFailure) => void;

/** What the host answers. */
type Reply = { ok: true; value: unknown } | { ok: false; error: GuestFailure };

const waiting = create(null) as Record<number, { answered: Answered; failed: Failed }>;
let last = 0;

/** Hands a buffer over, for the call or the result that follows. */
export function giveBuffer(bytes: Uint8Array): void {
  host(OP.give, exactBuffer(bytes));
}

/** A buffer of the answer that has just come. */
export const takeBuffer = (index: number): Uint8Array => new Bytes(host(OP.take, index) as ArrayBuffer);

/** Calls a binding. @param text of the encoded list of arguments; its buffers have been given */
export function startCall(
  binding: string,
  method: string,
  text: string,
  answered: Answered,
  failed: Failed,
): void {
  last += 1;
  waiting[last] = { answered, failed };
  host(OP.call, last, binding, method, text);
}

/** The host has answered. */
export function answer(id: number, text: string, buffers: number): void {
  const call = waiting[id];
  delete waiting[id];
  if (!call) return;
  const reply = parseJson(text) as Reply;
  if (reply.ok) call.answered(reply.value, buffers);
  else call.failed(reply.error);
}

/**
 * What a hostile child is made with: `serve(attack)` speaks the channel properly until a UDF that is not called `honest` is to run, and
 * leaves that to the attack. One frame at a time, blocking; the bell is ignored.
 */
import { encodeFrameHead, type Frame, frameLength, readFrame } from "../../../runtime/channel.ts";

declare const require: (name: string) => unknown;
const fs = require("node:fs") as typeof import("node:fs");
const DATA = 3;

function read(into: Uint8Array): void {
  for (let at = 0; at < into.length; ) {
    const count = fs.readSync(DATA, into, at, into.length - at, null);
    if (count === 0) process.exit();
    at += count;
  }
}

function raw(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(DATA, bytes, at);
}

function send(frame: Partial<Frame>): void {
  const whole: Frame = { kind: "event", id: 0, name: "", text: "", buffers: [], ...frame };
  raw(encodeFrameHead(whole));
  for (const buffer of whole.buffers) raw(buffer);
}

function receive(): Frame {
  const lengthField = new Uint8Array(4);
  read(lengthField);
  return readFrame(frameLength(lengthField), read);
}

const IDLE = JSON.stringify({ reusable: true, reason: null, heapBytes: 0, ms: 0 });
const tools = {
  send,
  raw,
  receive,
  reply: (id: number, value: unknown) =>
    send({ kind: "reply", id, text: JSON.stringify({ ok: true, value }) }),
  event: (name: string, text = "", ...buffers: Uint8Array[]) => send({ name, text, buffers }),
  idle: () => send({ name: "idle", text: IDLE }),
};
export type Tools = typeof tools;

Object.assign(globalThis, {
  serve(attack: (request: Frame, tools: Tools) => void) {
    let honest = false;
    for (;;) {
      const frame = receive();
      if (frame.kind !== "request") continue;
      if (frame.name !== "run") {
        tools.reply(frame.id, {});
        continue;
      }
      tools.event("begun");
      // The same UDF again comes without its code.
      const { udf } = JSON.parse(frame.text) as { udf: { name: string } | null };
      if (udf !== null) honest = udf.name === "honest";
      if (honest) {
        tools.reply(frame.id, "honest");
        tools.idle();
      } else attack(frame, tools);
    }
  },
});

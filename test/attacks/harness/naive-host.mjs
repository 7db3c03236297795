/** A host that believes everything, for controls: it says what a hostile child made it do. */
import { spawn } from "node:child_process";
import { endGroup } from "./processes.mjs";

/** Long enough for a child to start and to send what it has. */
const LISTEN_MS = 700;
const HEAD = 20;

function frame(kind, id, name, text) {
  const body = Buffer.from(name + text);
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(HEAD - 4 + body.length, 0);
  head.writeUInt8(kind, 4);
  head.writeUInt16LE(name.length, 6);
  head.writeUInt32LE(id, 8);
  head.writeUInt32LE(text.length, 12);
  return Buffer.concat([head, body]);
}

/** @returns {Promise<string[]>} names of what happened */
export function naiveHost(child) {
  const { promise, resolve } = Promise.withResolvers();
  const started = spawn(process.execPath, ["-e", child], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    detached: true,
  });
  const pipe = started.stdio[3];
  const chunks = [];
  let size = 0;
  pipe.on("error", () => {});
  pipe.on("data", (chunk) => {
    size += chunk.length;
    if (size < 64 << 20) chunks.push(chunk);
  });
  pipe.write(frame(0, 1, "start", "{}"));
  pipe.write(frame(0, 2, "run", '{"udf":{"name":"hostile"}}'));
  const timer = setTimeout(end, LISTEN_MS);
  started.on("close", end);
  let ended = false;
  function end() {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    endGroup(started.pid);
    resolve(judge(Buffer.concat(chunks), started.exitCode));
  }
  return promise;
}

function judge(bytes, exitCode) {
  const facts = new Set();
  const answered = new Map();
  let frames = 0;
  let requests = 0;
  let idle = false;
  let at = 0;
  for (; at + HEAD <= bytes.length; frames++) {
    const length = bytes.readUInt32LE(at);
    const [kind, nameLength, id] = [
      bytes.readUInt8(at + 4),
      bytes.readUInt16LE(at + 6),
      bytes.readUInt32LE(at + 8),
    ];
    const [textLength, count] = [bytes.readUInt32LE(at + 12), bytes.readUInt16LE(at + 16)];
    if (length > 1 << 30) facts.add("huge length");
    if (kind > 2) facts.add("unknown kind");
    const from = at + HEAD + count * 4 + nameLength;
    const name = bytes.toString("utf8", at + HEAD + count * 4, from);
    const text = bytes.toString("utf8", from, from + Math.min(textLength, 1 << 25));
    let lengths = 16 + count * 4 + nameLength + textLength;
    for (let i = 0; i < count && at + HEAD + i * 4 + 4 <= bytes.length; i++)
      lengths += bytes.readUInt32LE(at + HEAD + i * 4);
    if (lengths !== length) facts.add("lengths that lie");
    if (kind === 0) requests++;
    if (idle) facts.add("events while idle");
    if (kind === 2 && name === "idle") {
      idle = true;
      if (JSON.parse(text) === null) facts.add("idle: null");
      if (!answered.has(2)) facts.add("idle before the answer");
    }
    if (kind === 2 && !["begun", "idle", "output", "fatal"].includes(name)) facts.add("unknown event");
    if (kind === 2 && name === "output" && !["stdout", "stderr"].includes(text)) facts.add("unknown stream");
    if (kind === 1) {
      answered.set(id, (answered.get(id) ?? 0) + 1);
      if (id > 2) facts.add("answer to nothing");
      if (id === 2) for (const fact of judgeAnswer(text, count)) facts.add(fact);
    }
    at += 4 + length;
  }
  if ([...answered.values()].some((times) => times > 1)) facts.add("two answers");
  if (!answered.has(2)) facts.add("no answer");
  if (frames > 10_000) facts.add("flood");
  if (requests > 200) facts.add("flood of requests");
  if (at > bytes.length) facts.add("cut off");
  if (exitCode !== null) facts.add("ended");
  if (answered.has(2) && !idle) facts.add("never idle");
  return [...facts];
}

function judgeAnswer(text, buffers) {
  const facts = [];
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    return ["no JSON"];
  }
  if (parsed?.ok !== true) facts.push("a failure");
  const copy = (value) => {
    if (value === null || typeof value !== "object") return value;
    const out = Array.isArray(value) ? [] : {};
    for (const key of Object.keys(value)) out[key] = copy(value[key]);
    return out;
  };
  try {
    const value = copy(parsed?.value);
    if (value?.polluted === true && !Object.hasOwn(value, "polluted")) facts.push("changed prototype");
    if (value?.$ === "bytes" && !(value.b < buffers)) facts.push("missing buffer");
    if (typeof value?.$ === "string") facts.push(`tag ${value.$}`);
  } catch (error) {
    if (error instanceof RangeError) facts.push("end of the stack");
  }
  if (text.length > 8 << 20) facts.push("large text");
  return facts;
}

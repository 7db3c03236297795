/** Scripts of hostile workers, chosen by the start request: what an attacker who runs JavaScript there can do, before and after the strip. */
import { encodeFrameHead } from "../../runtime/channel.ts";
import { workerStart } from "../../runtime/isolate/worker.browser.ts";
import { probe } from "./probes.mjs";

const encode = (value) => new TextEncoder().encode(JSON.stringify(value));
/** Taken before the realm is stripped. */
const random = crypto.getRandomValues.bind(crypto);

/** All names in the realm and on what its global inherits from. */
function names() {
  const found = [];
  for (
    let owner = globalThis;
    owner !== null && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner)
  )
    found.push(...Reflect.ownKeys(owner).map(String));
  return [...new Set(found)].sort();
}

/** After the strip, as an engine: this is where guests are. */
export const stripped = workerStart(async ({ base }) => ({
  engine: {},
  report: {},
  buffers: [encode({ names: names(), probes: await probe(base) })],
}));

function frame(kind, id, name, text, buffers) {
  const head = encodeFrameHead({ kind, id, name, text, buffers });
  const length = buffers.reduce((sum, buffer) => sum + buffer.length, head.length);
  const bytes = new Uint8Array(length - 4);
  bytes.set(head.subarray(4));
  let at = head.length - 4;
  for (const buffer of buffers) {
    bytes.set(buffer, at);
    at += buffer.length;
  }
  return bytes.buffer;
}

/** With everything that the browser gives to a worker: only the document's policy is left. */
const raw = {
  async probe({ id, port }, { base }) {
    const buffers = [encode({ probes: await probe(base) })];
    port.postMessage(frame("reply", id, "", '{"ok":true}', buffers));
  },
  flood({ port }) {
    const bytes = frame("event", 0, "output", "stdout", [random(new Uint8Array(64))]);
    for (;;) port.postMessage(bytes);
  },
  object({ port }) {
    port.postMessage({ kind: "reply", id: 1, name: "", text: '{"ok":true}', buffers: [] });
  },
  short({ port }) {
    port.postMessage(new ArrayBuffer(3));
  },
  cut({ id, port }) {
    port.postMessage(frame("reply", id, "", '{"ok":true}', [new Uint8Array(64)]).slice(0, -1));
  },
  huge({ port }) {
    port.postMessage(new ArrayBuffer(64 * 2 ** 20));
  },
  foreign({ port }) {
    port.postMessage(frame("reply", 77, "", '{"ok":true}', []));
  },
  throws() {
    throw new Error("on purpose");
  },
};

/** Before the strip: an attacker who has got to the worker's first moment. The start request names the attack. */
export function unstripped() {
  addEventListener("message", ({ data }) => {
    const options = JSON.parse(data.text);
    raw[options.attack]?.(data, options);
  });
}

/**
 * Runs an attack inside a realm, on the Node that runs this: reads `{host, child, realm, target}` as JSON from standard input and prints
 * `{value}` or `{error}`.
 */
import { text } from "node:stream/consumers";

const { host, child, realm, target } = JSON.parse(await text(process.stdin));
const { Isolate, nodePlatform, DEFAULT_LIMITS } = await import(host);
const folder = { name: "attack", read: async () => Buffer.from(child), has: async () => true };
const recipe = {
  key: "attack",
  realm,
  assets: [
    { name: "bytes", kind: "bytes", bytes: new Uint8Array(16) },
    // The smallest module: magic and version.
    { name: "core", kind: "module", bytes: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0) },
  ],
  start: {},
  realmPerUdf: false,
};
const { memoryBytes, outputBytes, messageBytes, logBytes } = DEFAULT_LIMITS;
const options = { memoryBytes, startMs: 20_000, outputBytes, messageBytes, reusable: false };
const request = {
  udf: { name: "attack", code: "", file: "attack.js", headers: [], entrypoint: null },
  parameters: JSON.stringify(target),
  tile: null,
  limits: { timeMs: 10_000, memoryBytes, logBytes, outputBytes },
};
let answer;
try {
  const { isolate } = await Isolate.open(nodePlatform(folder), recipe, options);
  const events = { call: async () => ({ text: '{"ok":true,"value":null}', buffers: [] }), output() {} };
  try {
    const reply = await isolate.run(request, [], "attack", events);
    const { ok, value, error } = JSON.parse(reply.text);
    answer = ok ? { value } : { error: error.message };
  } finally {
    await isolate.close();
  }
} catch (error) {
  answer = { error: `${error.name}: ${error.message}` };
}
process.stdout.write(JSON.stringify(answer));

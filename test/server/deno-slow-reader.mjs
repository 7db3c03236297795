/**
 * Run by Deno: a client that takes a large answer slowly gets all of it, and one that takes nothing is let go. Prints what became of both.
 * The edge is used from its source, with a time that a test can wait for.
 */
import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";
import { listen } from "../../host/server/serve.node.ts";

const READ_MS = 400;
const BYTES = 24 * 2 ** 20;

const gone = [];
const { port, close } = await listen(
  async ({ url }, peer) => {
    peer.gone.addEventListener("abort", () => gone.push(new URL(url).pathname));
    return new Response(new Uint8Array(BYTES), { headers: { "content-length": String(BYTES) } });
  },
  { port: 0, host: "127.0.0.1", readMs: READ_MS },
);

function ask(path) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
  return socket;
}

ask("/idle").pause();
const slow = ask("/slow");
let [taken, parts] = [0, 0];
slow.on("data", (part) => {
  taken += part.length;
  if (++parts % 30 !== 0) return;
  // All pauses together are much longer than READ_MS.
  slow.pause();
  setTimeout(() => slow.resume(), READ_MS / 4);
});
await once(slow, "close");
for (const until = performance.now() + 5000; gone.length === 0 && performance.now() < until; )
  await new Promise((resolve) => setTimeout(resolve, 10));
console.log(JSON.stringify({ all: taken > BYTES, gone }));
await close(0);
process.exit();

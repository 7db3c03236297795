/**
 * A load of requests over some connections, each sending the next one when it has its answer.
 *
 *     node load.mjs URL CONNECTIONS SECONDS      one line of JSON: requests a second, and times in milliseconds
 *
 * `{i}` in the URL is the number of the request. An answer that is not 200 ends it.
 */
import { Pool } from "undici";

const [template, connections, seconds] = process.argv.slice(2);
const { origin, pathname, search } = new URL(template);
const path = decodeURI(pathname) + decodeURI(search);
const pool = new Pool(origin, { connections: Number(connections), pipelining: 1 });
const times = [];
let sent = 0;
const started = performance.now();
const end = started + Number(seconds) * 1000;

async function worker() {
  while (performance.now() < end) {
    const begun = performance.now();
    const { statusCode, body } = await pool.request({
      path: path.replaceAll("{i}", sent++),
      method: "GET",
    });
    const bytes = await body.arrayBuffer();
    if (statusCode !== 200) throw new Error(`${statusCode}: ${Buffer.from(bytes).toString().slice(0, 300)}`);
    times.push(performance.now() - begun);
  }
}

await Promise.all(Array.from({ length: Number(connections) }, worker));
const took = (performance.now() - started) / 1000;
await pool.close();
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
console.log(JSON.stringify({ perSecond: times.length / took, p50: at(0.5), p99: at(0.99) }));

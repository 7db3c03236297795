/**
 * A load of requests over some connections, each sending the next one when it has its answer.
 *
 *     node load.mjs URL CONNECTIONS SECONDS      one line of JSON: requests a second, and times in milliseconds
 *
 * `{i}` in the URL is the number of the request. An answer that is not 200, or says no length, ends it. All connections read into one
 * buffer and look at heads only: on a machine with few cores, a client that does more measures itself.
 */
import { connect } from "node:net";

const [template, connections, seconds] = process.argv.slice(2);
const { hostname, port, host, pathname, search } = new URL(template);
const path = decodeURI(pathname) + decodeURI(search);
const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
const times = [];
let sent = 0;
const started = performance.now();
const end = started + Number(seconds) * 1000;

const worker = () =>
  new Promise((resolve, reject) => {
    let begun;
    let head;
    /** Bytes of the body that are still to come; undefined: the head is not there yet. */
    let left;
    const send = () => {
      begun = performance.now();
      if (begun >= end) return socket.end(resolve);
      head = "";
      left = undefined;
      socket.write(`GET ${path.replaceAll("{i}", sent++)} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    };
    const take = (size) => {
      if (left === undefined) {
        head += buffer.latin1Slice(0, size);
        const body = head.indexOf("\r\n\r\n") + 4;
        if (body < 4) return;
        const length = /\r\ncontent-length: *(\d+)/i.exec(head);
        if (!length || !/^HTTP\/1\.1 200 /.test(head)) {
          reject(new Error(`Unexpected: ${head.slice(0, 500)}`));
          return;
        }
        left = Number(length[1]) - (head.length - body);
      } else {
        left -= size;
      }
      if (left > 0) return;
      times.push(performance.now() - begun);
      send();
    };
    const callback = (size) => {
      take(size);
      return true;
    };
    const socket = connect({ host: hostname, port: Number(port), onread: { buffer, callback } }, send);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("The server closed the connection")));
  });

await Promise.all(Array.from({ length: Number(connections) }, worker));
const took = (performance.now() - started) / 1000;
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
console.log(JSON.stringify({ perSecond: times.length / took, p50: at(0.5), p99: at(0.99) }));

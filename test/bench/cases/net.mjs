/** A request from the host: the guarded fetch as a UDF's call reaches it, without an isolate, against a client that guards nothing. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request, fetch as undiciFetch } from "undici";
import { openHost } from "../../../host/host.ts";
import { netBinding } from "../../../host/net/binding.ts";
import { Guard } from "../../../host/net/guard.ts";
import { openTransport } from "../../../host/net/transport.node.ts";
import { createBroker } from "../../../host/permissions/broker.ts";
import { checkPermissions } from "../../../host/permissions/descriptor.ts";
import { encodeValue } from "../../../runtime/value.ts";
import { atMost, figure, forScale, interleave, time } from "../measure.mjs";

const REQUESTS = 300;
/** A rule for the server is the last one that is tried. */
const RULES = ["api.example.org", "*.tiles.example.org", "127.0.0.1"];

/** Milliseconds that one request takes, of many, one after the other. */
async function each(fetchOnce) {
  const total = await time(async () => {
    for (let i = 0; i < REQUESTS; i++) await fetchOnce();
  });
  return total / REQUESTS;
}

/** The binding with a run that calls it: by itself, and through the host's door. */
function openNet(url) {
  const transport = openTransport();
  const net = netBinding(new Guard(transport));
  const permissions = checkPermissions({ net: RULES });
  const broker = createBroker({ permissions });
  const run = new AbortController();
  const caller = {
    principal: "me",
    udf: { name: "udf", hash: "0" },
    permissions,
    context: {},
    runId: "1",
    signal: run.signal,
  };
  const call = { ...caller, require: (permission, value) => broker.require(permission, value, caller) };
  const question = [{ url, method: "GET", headers: [], body: null, redirect: "follow", timeoutMs: null }];
  const host = openHost({ broker, bindings: { net } });
  const frame = encodeValue(question);
  return {
    async fetch() {
      const { status, body } = await net.fetch(question, call);
      assert.ok(status === 200 && body.length > 200);
    },
    async call() {
      const { text, buffers } = await host("net.fetch", frame, caller);
      assert.ok(text.startsWith('{"ok":true') && buffers[0].length > 200, text);
    },
    async close() {
      run.abort();
      await transport.close();
    },
  };
}

export async function run(bench) {
  const server = fork(bench.peer("net-server.mjs"));
  const [port] = await once(server, "message");
  const url = `http://127.0.0.1:${port}/features?limit=10`;
  const net = openNet(url);
  const dispatcher = new Agent();
  try {
    const { ours, door, plain, standard } = await interleave(
      {
        ours: () => each(net.fetch),
        door: () => each(net.call),
        plain: () =>
          each(async () => {
            const { statusCode, body } = await request(url, { dispatcher });
            assert.ok(statusCode === 200 && (await body.bytes()).length > 200);
          }),
        standard: () =>
          each(async () => {
            const response = await undiciFetch(url, { dispatcher });
            assert.ok(response.status === 200 && (await response.bytes()).length > 200);
          }),
      },
      { rounds: 25, warmUps: 5 },
    );
    const title = "`net.fetch` of a small body in the host, connection kept, from this machine";
    const peer = "undici `request`";
    return [
      figure(
        {
          id: "net-request",
          title,
          peer,
          target: atMost(1.2),
          note: "ours is the binding: the broker's decision, the checks of request and address, limits, and the answer as data.",
        },
        ours,
        plain,
      ),
      figure({ id: "net-fetch", title, peer: "undici `fetch`", target: forScale }, ours, standard),
      figure(
        {
          id: "net-call",
          title: `${title}, with the call decoded and the answer encoded`,
          peer,
          target: forScale,
        },
        door,
        plain,
      ),
    ];
  } finally {
    await net.close();
    await dispatcher.close();
    server.disconnect();
  }
}

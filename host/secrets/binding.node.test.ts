/** Secrets from the vault through the guarded fetch to real servers, and what of them comes back. */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { cacheBinding } from "../cache/binding.ts";
import { openCache } from "../cache/cache.node.ts";
import { guardedDownload } from "../download/fetch.ts";
import { Room } from "../files/room.ts";
import type { Binding, Call } from "../host.ts";
import { netBinding } from "../net/binding.ts";
import { AUTHORITY, KEY, SIGNED } from "../net/fixtures/certificates.ts";
import { get, Names, openRun, serve, type TestServer } from "../net/fixtures/servers.ts";
import { Guard } from "../net/guard.ts";
import { openTransport } from "../net/transport.node.ts";
import type { Transport } from "../net/transport.ts";
import type { Decision } from "../permissions/broker.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import { secretsBinding } from "./binding.ts";
import { keepParent, redactionOf, secretsOf, usedSecret } from "./runs.ts";
import { openVault } from "./vault.node.ts";
import type { OpenVault } from "./vault.ts";

const VALUE = "canary+Value/0123456789?";
const folder = mkdtempSync(join(tmpdir(), "fuselet-secrets-"));
let opened: OpenVault;
let binding: Binding;
const names = new Names();
let transport: Transport;
let net: Binding;
let server: TestServer;
let other: TestServer;
let secure: TestServer;
/** What the servers got. */
let got: { url: string; headers: IncomingMessage["headers"]; body: string }[];
let respond: (request: IncomingMessage, response: ServerResponse, body: string) => void;

beforeAll(async () => {
  opened = openVault(folder, undefined);
  await opened.vault.write("me", "API_KEY", VALUE);
  await opened.vault.write("me", "OTHER", "another-secret-value");
  await opened.vault.write("me", "PEM", "line 1\nline 2");
  binding = secretsBinding(opened);
  names.set("secure.example", ["127.0.0.1"]);
  names.set("plain.example", ["127.0.0.1"]);
});
afterAll(async () => {
  await opened.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  got = [];
  respond = (request, response) => response.end(JSON.stringify([request.url, request.headers]));
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    got.push({ url: request.url ?? "", headers: request.headers, body });
    respond(request, response, body);
  };
  [server, other] = [await serve(listener), await serve(listener)];
  secure = await serve(listener, { tls: { key: KEY, cert: SIGNED } });
  transport = openTransport({ resolve: names.resolve, ca: AUTHORITY });
  net = netBinding(new Guard(transport));
});
afterEach(async () => {
  await transport.close();
  for (const each of [server, other, secure]) await each[Symbol.asyncDispose]();
});

const hostOf = ({ port }: TestServer) => `127.0.0.1:${port}`;

/** A run that may reach all, and send API_KEY to the first server. */
function open(more: Permissions = {}, options: Parameters<typeof openRun>[1] = {}): Call {
  return openRun({ net: true, secrets: [{ name: "API_KEY", hosts: [hostOf(server)] }], ...more }, options)
    .call;
}
const secret = (call: Call, name = "API_KEY") => binding.get!([name], call) as Promise<string>;

interface Answer {
  url: string;
  status: number;
  headers: [string, string][];
  text: string;
}
async function fetch(call: Call, url: string, more: Record<string, unknown> = {}): Promise<Answer> {
  const answer = (await net.fetch!([get(url, more)], call)) as Answer & {
    body: Uint8Array;
    handle: number | null;
  };
  const parts = [answer.body];
  if (answer.handle !== null)
    for (
      let part: Uint8Array | null;
      (part = (await net.read!([answer.handle], call)) as Uint8Array | null);
    )
      parts.push(part);
  return { ...answer, text: Buffer.concat(parts).toString("latin1") };
}
const bearer = (text: string) => ({ headers: [["authorization", `Bearer ${text}`]] });
/** Whether a value is there in any form that counts. */
const hasCanary = (value: unknown) => {
  const text = JSON.stringify(value).toLowerCase();
  return [VALUE, encodeURIComponent(VALUE), Buffer.from(VALUE).toString("hex")].some((form) =>
    text.includes(form.toLowerCase()),
  );
};

describe("sign", () => {
  const how = { algorithm: "HMAC-SHA-256", scope: null, key: "text" };
  const signature = createHmac("sha256", VALUE).update("body").digest("hex");

  test("signs with the owner's secret, which the run does not get, and shares nothing of the run", async () => {
    const keepNothing = vi.fn();
    const call = { ...open({}, { principal: "me" }), principal: "a guest", keepNothing };
    const signed = (await binding.sign!(["API_KEY", "body", how], call)) as Uint8Array;
    expect(Buffer.from(signed).toString("hex")).toBe(signature);
    expect(usedSecret(call.signal)).toBe(false);
    expect(keepNothing).toHaveBeenCalled();
  });

  test("asks first; a secret that is not there, or not granted, signs nothing", async () => {
    await expect(binding.sign!(["OTHER", "body", how], open())).rejects.toMatchObject({
      name: "PermissionDeniedError",
      permission: "secrets",
      value: "OTHER",
    });
    await expect(binding.sign!(["NONE", "body", how], open({ secrets: true }))).rejects.toMatchObject({
      code: "missing",
    });
    await expect(binding.sign!(["API_KEY", 1, how], open())).rejects.toMatchObject({ code: "value" });
    await expect(binding.sign!(["API_KEY", "body", null], open())).rejects.toMatchObject({ code: "value" });
  });
});

describe("get", () => {
  test("gives a placeholder of letters and digits, bound to principal, UDF and name", async () => {
    const call = open({ secrets: true });
    const placeholder = await secret(call);
    expect(placeholder).toMatch(/^[a-z0-9]{40,}$/);
    expect(await secret(call)).toBe(placeholder);
    expect(await secret(open())).toBe(placeholder);
    expect(await secret(call, "OTHER")).not.toBe(placeholder);
    expect(await secret({ ...open(), udf: { name: "test", hash: "1" } })).not.toBe(placeholder);
    await opened.vault.write("you", "API_KEY", VALUE);
    expect(await secret(open({}, { principal: "you" }))).not.toBe(placeholder);
    expect(usedSecret(call.signal)).toBe(false);
  });

  test("gives the value where the grant says reveal; then nothing of the run is shared, and the value is not shown", async () => {
    const call = open({ secrets: [{ name: "API_KEY", reveal: true }, "OTHER"] });
    await secret(call, "OTHER");
    expect(usedSecret(call.signal)).toBe(false);
    expect(await secret(call)).toBe(VALUE);
    expect(usedSecret(call.signal)).toBe(true);
    expect(redactionOf(call.signal)?.text(`<${VALUE}>`)).toBe("<[secret API_KEY]>");
    expect(redactionOf(open().signal)).toBeUndefined();
  });

  test("what was revealed to one run counts for all below the same outermost one; a placeholder is a run's own", async () => {
    const permissions: Permissions = { secrets: [{ name: "API_KEY", reveal: true }, "OTHER"] };
    const [outer, middle, inner, sibling] = [1, 2, 3, 4].map(() => open(permissions)) as [
      Call,
      Call,
      Call,
      Call,
    ];
    keepParent(middle.signal, outer.signal);
    keepParent(inner.signal, middle.signal);
    keepParent(sibling.signal, outer.signal);
    const all = [outer, middle, inner, sibling];
    await secret(middle, "OTHER");
    expect(all.map(({ signal }) => secretsOf(signal) !== undefined)).toEqual([false, true, false, false]);
    expect(all.map(({ signal }) => usedSecret(signal))).toEqual([false, false, false, false]);
    await secret(middle);
    expect(all.map(({ signal }) => redactionOf(signal)?.text(VALUE))).toEqual(
      Array(4).fill("[secret API_KEY]"),
    );
    expect(usedSecret(open(permissions).signal)).toBe(false);
  });

  test("a result that depends on it is not kept, whether there is one or not; nor one that depends on their names", async () => {
    const asked = [["get", "OTHER"], ["get", "NONE"], ["list"]] as const;
    for (const [method, ...args] of asked) {
      const keepNothing = vi.fn();
      await Promise.resolve(binding[method]!(args, { ...open({ secrets: true }), keepNothing })).catch(
        () => {},
      );
      expect(keepNothing, args.join()).toHaveBeenCalled();
    }
  });

  test("asks first, whether there is such a secret or not", async () => {
    const decisions: Decision[] = [];
    const call = open({ secrets: ["API_KEY"] }, { onDecision: (decision) => decisions.push(decision) });
    for (const name of ["OTHER", "NONE"]) {
      await expect(secret(call, name)).rejects.toMatchObject({
        name: "PermissionDeniedError",
        message: `Requires secrets access to "${name}": run again with --allow-secrets=${name}`,
      });
    }
    expect(decisions.map(({ value, allowed }) => [value, allowed])).toEqual([
      ["OTHER", false],
      ["NONE", false],
    ]);
  });

  test("names what is missing, and what is no name", async () => {
    const call = open({ secrets: true });
    await expect(secret(call, "NONE")).rejects.toMatchObject({ name: "SecretError", code: "missing" });
    for (const name of ["a b", "API_KEY@a.example", "", 3, null])
      await expect(secret(call, name as string)).rejects.toMatchObject({ code: "value" });
    // A principal's secrets are no other's.
    await expect(secret(open({ secrets: true }, { principal: "stranger" }))).rejects.toMatchObject({
      code: "missing",
    });
  });

  test("list names what the run may use", async () => {
    const list = (permissions: Permissions) => binding.list!([], openRun(permissions).call);
    expect(await list({ secrets: true })).toEqual(["API_KEY", "OTHER", "PEM"]);
    expect(await list({ secrets: ["OTHER", "NONE"] })).toEqual(["OTHER"]);
    expect(await list({ secrets: true, deny: { secrets: ["api_key"] } })).toEqual(["OTHER", "PEM"]);
    expect(await list({ secrets: true, deny: { secrets: true } })).toEqual([]);
    expect(await list({})).toEqual([]);
  });
});

test("what a run computes that has seen a value is not cached, also where it began before", async () => {
  const { cache, close } = openCache(join(folder, "cache"));
  const cached = cacheBinding({ cache, roomOf: () => new Room(Infinity, async () => {}) });
  const begin = (call: Call, key: string) =>
    cached.begin!(
      [
        {
          key: key.repeat(64),
          name: "f",
          folder: null,
          storage: "auto",
          maxAgeMs: 1e6,
          reset: false,
          lockTimeoutMs: 0,
        },
      ],
      call,
    ) as Promise<{ state: string; lease: number; reason?: string }>;
  const body = { format: "bytes", body: new TextEncoder().encode(VALUE) };
  const permissions: Permissions = { cache: true, secrets: [{ name: "API_KEY", reveal: true }] };
  const call = open(permissions);
  const { lease } = await begin(call, "a");
  await secret(call);
  await cached.commit!([lease, body], call);
  expect(await begin(call, "b")).toMatchObject({ state: "off", reason: expect.stringContaining("secret") });
  // A run that has seen none keeps it: the control.
  const other = open(permissions);
  await cached.commit!([(await begin(other, "a")).lease, body], other);
  expect((await begin(open(permissions), "a")).state).toBe("hit");
  await close();
});

describe("a placeholder is replaced", () => {
  test("in headers, in Basic authentication and in query values; the answer shows the placeholder", async () => {
    const call = open();
    const key = await secret(call);
    const answer = await fetch(call, `${server.url}/p/${key}?a=${key}&b=x%20${key}%26&${key}=1&${key}`, {
      headers: [
        ["authorization", `Basic ${btoa(`user:${key}`)}`],
        ["x-api-key", key],
        ["cookie", `a=${key}; b=1`],
      ],
    });
    const encoded = encodeURIComponent(VALUE);
    expect(got[0]?.url).toBe(`/p/${key}?a=${encoded}&b=x%20${encoded}%26&${key}=1&${key}`);
    expect(got[0]?.headers).toMatchObject({
      authorization: `Basic ${btoa(`user:${VALUE}`)}`,
      "x-api-key": VALUE,
      cookie: `a=${VALUE}; b=1`,
    });
    expect(hasCanary(answer)).toBe(false);
    expect(answer.url).toBe(`${server.url}/p/${key}?a=${key}&b=x%20${key}%26&${key}=1&${key}`);
    expect(answer.text).toContain(`"x-api-key":"${key}"`);
    expect(answer.text).toContain(`?a=${key}&`);
  });

  test("nowhere else: not in a path, a name, or a body", async () => {
    const call = open();
    const key = await secret(call);
    const answer = await fetch(call, `${server.url}/${key}?${key}=1`, {
      method: "POST",
      headers: [[`x-${key}`, "1"]],
      body: new TextEncoder().encode(key),
    });
    expect(hasCanary([got, answer])).toBe(false);
    expect(got[0]?.body).toBe(key);
  });

  test("over https to any host of its grant, over http to this machine only", async () => {
    const call = open({ secrets: ["API_KEY"] });
    const key = await secret(call);
    await fetch(call, `https://secure.example:${secure.port}/`, bearer(key));
    await fetch(call, `http://localhost:${server.port}/`, bearer(key));
    expect(got.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${VALUE}`, `Bearer ${VALUE}`]);
    await expect(fetch(call, `http://plain.example:${server.port}/`, bearer(key))).rejects.toMatchObject({
      name: "SecretError",
      code: "send",
      message: `Cannot send the secret API_KEY to http://plain.example:${server.port}: secrets are sent over https, or to this machine`,
    });
    expect(got).toHaveLength(2);
  });

  test("for hosts of its grant: another one is asked for, logged, and nothing is sent", async () => {
    const decisions: Decision[] = [];
    const call = open({}, { onDecision: (decision) => decisions.push(decision) });
    const key = await secret(call);
    for (const more of [bearer(key), { headers: [["authorization", `basic ${btoa(`:${key}`)}`]] }, {}]) {
      const url = "headers" in more ? `${other.url}/` : `${other.url}/?k=${key}`;
      await expect(fetch(call, url, more)).rejects.toMatchObject({
        name: "PermissionDeniedError",
        permission: "secrets",
        value: `API_KEY@${hostOf(other)}`,
        grant: `--allow-secrets=API_KEY@${hostOf(other)}`,
      });
    }
    expect(other.connections).toBe(0);
    const refused = decisions.filter(({ allowed }) => !allowed);
    expect(refused).toHaveLength(3);
    // The flag that it names helps.
    const both = open({
      secrets: [hostOf(server), hostOf(other)].map((host) => ({ name: "API_KEY", hosts: [host] })),
    });
    await fetch(both, `${other.url}/`, bearer(await secret(both)));
    expect(got.at(-1)?.headers.authorization).toBe(`Bearer ${VALUE}`);
  });

  test("for another host where somebody who is asked says so", async () => {
    const asked: string[] = [];
    const call = open(
      {},
      {
        onUngranted: async ({ value }) => {
          asked.push(value);
          return { allowed: true, how: "prompt once" };
        },
      },
    );
    await fetch(call, `${other.url}/`, bearer(await secret(call)));
    expect(asked).toEqual([`API_KEY@${hostOf(other)}`]);
    expect(got[0]?.headers.authorization).toBe(`Bearer ${VALUE}`);
  });

  test("in the run that asked for it, and in no other", async () => {
    const key = await secret(open({ secrets: true }));
    for (const call of [
      open({ secrets: true }),
      open({ secrets: true }, { principal: "you" }),
      { ...open({ secrets: true }), udf: { name: "test", hash: "1" } },
    ]) {
      await secret(call, call.principal === "you" ? "API_KEY" : "OTHER");
      await fetch(call, `${server.url}/?k=${key}`, bearer(key));
      expect(got.at(-1)?.headers.authorization).toBe(`Bearer ${key}`);
    }
    expect(hasCanary(got)).toBe(false);
  });

  test("only by a value that a header can have", async () => {
    const call = open({ secrets: ["PEM"] });
    const key = await secret(call, "PEM");
    await expect(fetch(call, `${server.url}/`, { headers: [["x-a", key]] })).rejects.toMatchObject({
      code: "send",
      message: expect.stringContaining("in the header x-a: it has a line break"),
    });
    expect(server.connections).toBe(0);
    await fetch(call, `${server.url}/?k=${key}`);
    expect(got[0]?.url).toBe("/?k=line%201%0Aline%202");
  });
});

describe("a redirect", () => {
  const redirect = (to: (request: IncomingMessage) => string) => {
    respond = (request, response) => {
      if (request.url?.startsWith("/start")) response.writeHead(307, { location: to(request) });
      response.end(JSON.stringify([request.url, request.headers]));
    };
  };

  test("within the origin keeps the secret, also where it is in the location", async () => {
    const call = open();
    const key = await secret(call);
    redirect((request) => request.url!.replace("/start", "/end"));
    const answer = await fetch(call, `${server.url}/start?k=${key}`, { headers: [["x-api-key", key]] });
    expect(got[1]).toMatchObject({
      url: `/end?k=${encodeURIComponent(VALUE)}`,
      headers: { "x-api-key": VALUE },
    });
    expect(answer.url).toBe(`${server.url}/end?k=${key}`);
    expect(hasCanary(answer)).toBe(false);
  });

  test("that a guest follows itself shows the placeholder in its location", async () => {
    const call = open();
    const key = await secret(call);
    redirect((request) => `${other.url}${request.url!.replace("/start", "/end")}`);
    const answer = await fetch(call, `${server.url}/start?k=${key}`, { redirect: "manual" });
    expect(answer.headers).toContainEqual(["location", `${other.url}/end?k=${key}`]);
  });

  test("to another origin takes the secret out, whatever it is granted for, and for good", async () => {
    const call = open({ secrets: ["API_KEY"] });
    const key = await secret(call);
    respond = (request, response) => {
      const hop = Number(new URL(request.url!, "http://x").searchParams.get("hop"));
      const next = hop === 0 ? other : server;
      if (hop < 2)
        response.writeHead(307, { location: `${next.url}/?hop=${hop + 1}&k=${encodeURIComponent(VALUE)}` });
      response.end(JSON.stringify([request.url, request.headers]));
    };
    const answer = await fetch(call, `${server.url}/?hop=0&k=${key}`, {
      headers: [
        ["x-api-key", key],
        ["x-basic", `Basic ${btoa(`a:${key}`)}`],
        ["x-plain", "1"],
      ],
    });
    expect(got).toHaveLength(3);
    expect(hasCanary(got.slice(1))).toBe(false);
    for (const { url, headers } of got.slice(1)) {
      expect(url).toContain(`k=${key}`);
      expect(headers["x-plain"]).toBe("1");
      expect(headers).not.toHaveProperty("x-api-key");
      expect(headers).not.toHaveProperty("x-basic");
    }
    expect(hasCanary(answer)).toBe(false);
  });
});

describe("an answer", () => {
  test.each([
    [
      "whole, with its length",
      (response: ServerResponse, text: string) => response.setHeader("content-length", text.length).end(text),
    ],
    [
      "a byte at a time",
      async (response: ServerResponse, text: string) => {
        for (const character of text) {
          response.write(character);
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end();
      },
    ],
    [
      "compressed",
      (response: ServerResponse, text: string) =>
        response.setHeader("content-encoding", "gzip").end(gzipSync(text)),
    ],
  ])("that comes %s has the placeholder in place of the value", async (_, send) => {
    const call = open();
    const key = await secret(call);
    const text = (value: string) =>
      `<${value}> ${encodeURIComponent(value)} ${btoa(value)} ${"x".repeat(100)}`;
    respond = (_request, response) => {
      response.statusMessage = VALUE;
      response.setHeader("set-cookie", [`a=${VALUE}`, "b=1"]);
      void send(response, text(VALUE));
    };
    const answer = await fetch(call, `${server.url}/`, bearer(key));
    expect(answer.text).toContain(`<${key}> ${key} `);
    expect(answer.text.endsWith("x".repeat(100))).toBe(true);
    expect(hasCanary(answer)).toBe(false);
    expect(answer.text).not.toContain(btoa(VALUE).slice(0, -4));
    expect(answer.headers).toContainEqual(["set-cookie", `a=${key}`]);
    expect(answer.headers.find(([name]) => name === "content-length")).toBeUndefined();
  });

  test("to a later request of the run is looked through, too; one before is as the server sent it", async () => {
    const call = open();
    const key = await secret(call);
    respond = (_request, response) => response.end(VALUE);
    expect((await fetch(call, server.url)).text).toBe(VALUE);
    await fetch(call, server.url, bearer(key));
    expect((await fetch(call, `${other.url}/`)).text).toBe(key);
  });

  test("to HEAD, and a part of a file, keep their lengths; asterisks stand in the part", async () => {
    const call = open();
    const key = await secret(call);
    respond = (request, response) => {
      const text = `<${VALUE}>`;
      response.setHeader("content-length", text.length);
      if (request.headers.range)
        response.writeHead(206, { "content-range": `bytes 0-${text.length - 1}/999` });
      response.end(text);
    };
    const head = await fetch(call, server.url, { method: "HEAD", ...bearer(key) });
    expect(head.headers).toContainEqual(["content-length", String(VALUE.length + 2)]);
    const part = await fetch(call, server.url, {
      headers: [
        ["x-k", key],
        ["range", "bytes=0-"],
      ],
    });
    expect(part.text).toBe(`<${"*".repeat(VALUE.length)}>`);
    expect(part.headers).toContainEqual(["content-length", String(VALUE.length + 2)]);
  });

  test("that is kept as a file has its length", async () => {
    const call = open();
    const key = await secret(call);
    respond = (request, response) => {
      const text = `<${decodeURIComponent(request.url!)}>`;
      response.setHeader("content-length", text.length).end(text);
    };
    const download = guardedDownload(new Guard(transport, { idleMs: 1000 }));
    const { headers, body } = await download(`${server.url}/?k=${key}`, [], null, call);
    const parts: Uint8Array[] = [];
    for (let part: Uint8Array | null; (part = await body.read()); ) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe(`</?k=${"*".repeat(VALUE.length)}>`);
    expect(headers).toContainEqual(["content-length", String(VALUE.length + 6)]);
  });

  test("that fails says nothing of the value", async () => {
    const call = open();
    const key = await secret(call);
    for (const fail of [
      (response: ServerResponse) => void response.destroy(),
      (response: ServerResponse) => void response.writeHead(307, { location: `ftp://${VALUE}/` }).end(),
      (response: ServerResponse) => void response.writeHead(307, { location: `http://${VALUE}:x/` }).end(),
      (response: ServerResponse) =>
        void response.writeHead(307, { location: `http://u:${VALUE}@a.example/` }).end(),
    ]) {
      respond = (_request, response) => fail(response);
      const error = await fetch(call, `${server.url}/?k=${key}`, bearer(key)).catch((cause) => cause);
      expect(error).toMatchObject({ name: "NetError" });
      expect(hasCanary(error.message)).toBe(false);
    }
  });
});

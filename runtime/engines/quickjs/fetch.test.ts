import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Encoded } from "../../value.ts";
import { type RunOptions, TestEngine } from "./testing.node.ts";

/** What the guest asks for. */
interface Asked {
  url: string;
  method: string;
  headers: [string, string][];
  body: string | null;
  redirect: string;
  timeoutMs: number | null;
}

/** What the host answers: the parts of a body after the first are what `read` gives. */
interface Answer {
  url?: string;
  status?: number;
  statusText?: string;
  headers?: [string, string][];
  redirected?: boolean;
  parts?: (string | Uint8Array)[];
  /** `read` fails after the parts. */
  error?: object;
  /** `read` never ends after the parts. */
  hangs?: boolean;
}

const bytesOf = (part: string | Uint8Array) =>
  typeof part === "string" ? new TextEncoder().encode(part) : part;
const ok = (value: unknown, ...buffers: Uint8Array[]): Encoded => ({
  text: JSON.stringify({ ok: true, value }),
  buffers,
});
const failed = (error: object): Encoded => ({ text: JSON.stringify({ ok: false, error }), buffers: [] });

const denial = {
  kind: "permission",
  type: "PermissionDeniedError",
  message: 'Requires net access to "a.b:80"',
  subject: "net",
  value: "a.b:80",
};

/** A binding `net` that answers what `answer` says, and writes down what it was asked. */
class Net {
  readonly asked: Asked[] = [];
  readonly calls: string[] = [];
  readonly #answer: (asked: Asked) => Answer | { fails: object } | Promise<never>;
  readonly #open = new Map<number, Answer>();

  constructor(answer: (asked: Asked) => Answer | { fails: object } | Promise<never>) {
    this.#answer = answer;
  }

  readonly call = async (binding: string, method: string, { text, buffers }: Encoded): Promise<Encoded> => {
    const [first] = JSON.parse(text);
    this.calls.push(method === "fetch" ? "fetch" : `${method} ${first}`);
    if (binding !== "net")
      return failed({ type: "UsageError", message: `The host has no binding ${binding}` });
    if (method === "close") this.#open.delete(first);
    if (method === "close") return ok(null);
    if (method === "read") return this.#read(first);
    const body = first.body === null ? null : new TextDecoder().decode(buffers[first.body.b]);
    const asked = { ...first, body };
    this.asked.push(asked);
    const answer = await this.#answer(asked);
    if ("fails" in answer) return failed(answer.fails);
    const {
      parts = [],
      error,
      hangs,
      headers = [],
      status = 200,
      statusText = "",
      redirected = false,
    } = answer;
    const whole = parts.length < 2 && !error && !hangs;
    if (!whole) this.#open.set(this.calls.length, { ...answer, parts: parts.slice(1) });
    return ok(
      {
        url: answer.url ?? asked.url,
        status,
        statusText,
        headers,
        redirected,
        body: { $: "bytes", b: 0 },
        handle: whole ? null : this.calls.length,
      },
      bytesOf(parts[0] ?? ""),
    );
  };

  #read(handle: number): Encoded | Promise<Encoded> {
    const answer = this.#open.get(handle);
    if (!answer) return failed({ type: "NetError", message: "closed", subject: "closed" });
    const part = answer.parts?.shift();
    if (part !== undefined) return ok({ $: "bytes", b: 0 }, bytesOf(part));
    if (answer.hangs) return new Promise(() => {});
    return answer.error ? failed(answer.error) : ok(null);
  }
}

const TOOLS = `
  const caught = async (fn) => { try { return await fn(); } catch (error) { return [error?.name, error?.message] } };
  const later = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));
`;

let engine: TestEngine;
let net: Net;
beforeAll(async () => {
  engine = await TestEngine.open({ call: (...call) => net.call(...call) });
});
afterAll(() => engine.engine.putBack());

/** Runs the body of a UDF whose requests are answered by `answer`. */
async function run(
  body: string,
  answer: ConstructorParameters<typeof Net>[0] = () => ({}),
  options: RunOptions = {},
) {
  const own = new Net(answer);
  net = own;
  const outcome = await engine.run(`export default async () => { ${TOOLS}\n${body} }`, options);
  return { ...outcome, net: own };
}

async function value(...args: Parameters<typeof run>) {
  const outcome = await run(...args);
  expect(outcome.error).toBe(undefined);
  return outcome.value;
}

describe("fetch() asks", () => {
  test("with nothing that the UDF did not say", async () => {
    const { net, value } = await run(`return (await fetch("http://a.b/c?d=1")).status`);
    expect(value).toBe(200);
    expect(net.asked).toEqual([
      {
        url: "http://a.b/c?d=1",
        method: "GET",
        headers: [],
        body: null,
        redirect: "follow",
        timeoutMs: null,
      },
    ]);
    expect(net.calls).toEqual(["fetch"]);
  });

  test("with method, headers, redirect and body", async () => {
    const { net } = await run(
      `await fetch("http://a.b", { method: "post", headers: { "X-A": " é ", b: "1" }, redirect: "manual", body: "é" })`,
    );
    expect(net.asked).toEqual([
      {
        url: "http://a.b/",
        method: "POST",
        headers: [
          ["x-a", "é"],
          ["b", "1"],
          ["content-type", "text/plain;charset=UTF-8"],
        ],
        body: "é",
        redirect: "manual",
        timeoutMs: null,
      },
    ]);
  });

  test.each([
    ["bytes", "new Uint8Array([97, 98, 99]).subarray(1)", "bc", null],
    ["a buffer", "new Uint8Array([97]).buffer", "a", null],
    ["a blob", 'new Blob(["x"], { type: "a/b" })', "x", "a/b"],
    [
      "parameters",
      'new URLSearchParams({ a: "b c", d: "&" })',
      "a=b+c&d=%26",
      "application/x-www-form-urlencoded;charset=UTF-8",
    ],
    ["nothing in it", '""', "", "text/plain;charset=UTF-8"],
    ["an object", "({ toString: () => 'text' })", "text", "text/plain;charset=UTF-8"],
  ])("with %s as the body", async (_, body, text, type) => {
    const { net } = await run(`await fetch("http://a.b", { method: "PUT", body: ${body} })`);
    expect(net.asked[0]).toMatchObject({ body: text, headers: type ? [["content-type", type]] : [] });
  });

  test("with a form", async () => {
    const { net } = await run(
      `const form = new FormData(); form.append("a", "1"); form.append("f", new File(["data"], "n.txt", { type: "text/x" })); await fetch("http://a.b", { method: "POST", body: form })`,
    );
    const [, boundary] =
      /^multipart\/form-data; boundary=(.+)$/.exec(net.asked[0]?.headers[0]?.[1] ?? "") ?? [];
    expect(net.asked[0]?.body).toBe(
      [
        `--${boundary}`,
        'Content-Disposition: form-data; name="a"',
        "",
        "1",
        `--${boundary}`,
        'Content-Disposition: form-data; name="f"; filename="n.txt"',
        "Content-Type: text/x",
        "",
        "data",
        `--${boundary}--`,
        "",
      ].join("\r\n"),
    );
  });

  test("with a stream, once it has been read", async () => {
    const { net } = await run(
      `const parts = ["a", "b", "c"]; const body = new ReadableStream({ async pull(c) { await later(1); const part = parts.shift(); if (part) c.enqueue(new TextEncoder().encode(part)); else c.close() } });
       await fetch("http://a.b", { method: "POST", body, duplex: "half" })`,
    );
    expect(net.asked[0]?.body).toBe("abc");
  });

  test("with a request", async () => {
    const { net, value } = await run(
      `const request = new Request("http://a.b", { method: "POST", body: "x", headers: { a: "1" } }); await fetch(request, { headers: { b: "2" } }); return [request.bodyUsed, await caught(() => fetch(request))]`,
    );
    expect(net.asked).toMatchObject([{ method: "POST", body: "x", headers: [["b", "2"]] }]);
    expect(value).toEqual([true, ["TypeError", "Body is unusable: it has been read already"]]);
  });

  test("with what a cache on the way should know", async () => {
    const { net } = await run(
      `for (const cache of ["no-store", "reload", "no-cache", "default", "force-cache"]) await fetch("http://a.b", { cache }); await fetch("http://a.b", { cache: "no-store", headers: { "Cache-Control": "x" } })`,
    );
    expect(net.asked.map(({ headers }) => headers.map(([, value]) => value))).toEqual([
      ["no-cache"],
      ["no-cache"],
      ["max-age=0"],
      [],
      [],
      ["x"],
    ]);
  });

  test("with the time that its signal leaves", async () => {
    const { net } = await run(
      `await fetch("http://a.b", { signal: AbortSignal.timeout(2000) }); await fetch("http://a.b", { signal: AbortSignal.any([AbortSignal.timeout(5000), AbortSignal.timeout(1000), new AbortController().signal]) })`,
    );
    const [first, second] = net.asked.map(({ timeoutMs }) => timeoutMs as number);
    expect(first).toSatisfy((ms: number) => ms > 1500 && ms <= 2000);
    expect(second).toSatisfy((ms: number) => ms > 500 && ms <= 1000);
  });

  test.each([
    ["a relative URL", 'fetch("/a")', /^Invalid URL/],
    ["a password", 'fetch("http://u:p@a.b")', /no user name and no password/],
    [
      "a header with a line break",
      'fetch("http://a.b", { headers: { a: "b\\r\\nHost: evil" } })',
      /^Invalid value of the header a: "b\\r\\nHost: evil"/,
    ],
    [
      "a header's name with a line break",
      'fetch("http://a.b", { headers: { "a\\nb": "c" } })',
      /^Invalid header name/,
    ],
    [
      "a method with a space",
      'fetch("http://a.b", { method: "GET / HTTP/1.1\\r\\n" })',
      /the method "GET .* cannot be sent/,
    ],
    ["TRACE", 'fetch("http://a.b", { method: "trace" })', /cannot be sent/],
    ["a body with GET", 'fetch("http://a.b", { body: "x" })', /has no body/],
    ["integrity", 'fetch("http://a.b", { integrity: "sha256-abc" })', /integrity is not checked/],
    [
      "a stream that was read",
      'fetch("http://a.b", { method: "POST", duplex: "half", body: await (async () => { const s = new ReadableStream(); await s.cancel(); return s })() })',
      /has been read/,
    ],
    ["options that are none", 'fetch("http://a.b", 5)', /must be an object: received number/],
    ["no arguments", "fetch()", /^Invalid URL/],
  ])("nothing with %s", async (_, code, message) => {
    const { net, value } = await run(`return caught(async () => ${code})`);
    expect(value).toEqual(["TypeError", expect.stringMatching(message)]);
    expect(net.calls).toEqual([]);
  });
});

describe("an answer", () => {
  const answer = (): Answer => ({
    url: "http://c.d/e",
    status: 404,
    statusText: "Not Found",
    redirected: true,
    headers: [
      ["content-type", "text/css"],
      ["set-cookie", "a=1"],
      ["x", "1"],
      ["set-cookie", "b=2"],
      ["x", "2"],
    ],
    parts: ["é!"],
  });

  test("says where it came from and what it is", async () => {
    expect(
      await value(
        `const r = await fetch("http://a.b"); return [r.url, r.status, r.statusText, r.ok, r.redirected, r.type, [...r.headers], r.headers.getSetCookie(), await r.text(), r.bodyUsed]`,
        answer,
      ),
    ).toEqual([
      "http://c.d/e",
      404,
      "Not Found",
      false,
      true,
      "basic",
      [
        ["content-type", "text/css"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["x", "1, 2"],
      ],
      ["a=1", "b=2"],
      "é!",
      true,
    ]);
  });

  test("has headers that stay as they are", async () => {
    expect(
      await value(
        `const r = await fetch("http://a.b"); return [await caught(() => r.headers.set("a", "b")), await caught(() => r.headers.delete("x")), await caught(() => r.clone().headers.append("a", "b")), r.headers.get("x")]`,
        answer,
      ),
    ).toEqual([...Array(3).fill(["TypeError", "Cannot change these headers: they are immutable"]), "1, 2"]);
  });

  test.each([
    ["text", "text()", "12345"],
    ["JSON", "json()", 12345],
    ["bytes", "bytes()", new TextEncoder().encode("12345")],
    ["a buffer", "arrayBuffer()", new TextEncoder().encode("12345")],
    ["a blob", "blob().then((b) => [b.size, b.type])", [5, "a/b"]],
  ])("that comes in parts is read as %s", async (_, method, expected) => {
    const { net, ...outcome } = await run(`const r = await fetch("http://a.b"); return r.${method}`, () => ({
      parts: ["12", "3", "45"],
      headers: [["content-type", "a/b"]],
    }));
    expect(outcome.value).toEqual(expected);
    expect(net.calls).toEqual(["fetch", "read 1", "read 1", "read 1"]);
  });

  test("is only read on when it is asked for", async () => {
    const { net, stdout } = await run(
      `const r = await fetch("http://a.b"), reader = r.body.getReader(); await later(); console.log("got"); await reader.read(); await later(); console.log("first"); const { value } = await reader.read(); await later(); console.log(new TextDecoder().decode(value))`,
      () => ({ parts: ["1", "2", "3"] }),
    );
    expect(stdout).toBe("got\nfirst\n2\n");
    expect(net.calls).toEqual(["fetch", "read 1"]);
  });

  test("is closed when its body is cancelled, once", async () => {
    const { net } = await run(
      `const r = await fetch("http://a.b"); await r.body.cancel(); await r.body.cancel(); for await (const part of (await fetch("http://a.b")).body) break`,
      () => ({ parts: ["1", "2", "3"] }),
    );
    expect(net.calls).toEqual(["fetch", "close 1", "fetch", "close 3"]);
  });

  test("is closed when it has been forgotten and another is asked for", async () => {
    const { net } = await run(`for (let i = 0; i < 4; i++) await fetch("http://a.b")`, () => ({
      parts: ["1", "2"],
    }));
    // The last answer is still held while the next is asked for.
    expect(net.calls).toEqual(["fetch", "fetch", "close 1", "fetch", "close 2", "fetch"]);
  });

  test("is not closed while somebody can read it", async () => {
    const { net, value } = await run(
      `const body = (await fetch("http://a.b")).body, kept = []; for (let i = 0; i < 3; i++) kept.push(await fetch("http://a.b")); return [await new Response(body).text(), await kept[2].text()]`,
      () => ({ parts: ["1", "2"] }),
    );
    expect(value).toEqual(["12", "12"]);
    expect(net.calls.filter((call) => call.startsWith("close"))).toEqual([]);
  });

  test("is cloned while it comes", async () => {
    const { value } = await run(
      `const r = await fetch("http://a.b"), c = r.clone(); const first = (await c.body.getReader().read()).value; first.fill(0); return [await r.text(), c.bodyUsed]`,
      () => ({ parts: ["12", "3", "45"] }),
    );
    expect(value).toEqual(["12345", true]);
  });

  test.each([
    ["204", { status: 204, parts: [""] }, ""],
    ["304", { status: 304, parts: ["", "x"] }, "close 1"],
  ])("of status %s has no body", async (_, given, closed) => {
    const { net, value } = await run(
      `const r = await fetch("http://a.b"); return [r.body, await r.text(), r.bodyUsed]`,
      () => given,
    );
    expect(value).toEqual([null, "", false]);
    expect(net.calls).toEqual(["fetch", ...(closed ? [closed] : [])]);
  });

  test("to HEAD has no body", async () => {
    expect(
      await value(
        `const r = await fetch("http://a.b", { method: "HEAD" }); return [r.body, await r.text()]`,
        () => ({ parts: [""] }),
      ),
    ).toEqual([null, ""]);
  });

  test("that is a form is read", async () => {
    expect(
      await value(`return [...await (await fetch("http://a.b")).formData()]`, () => ({
        parts: ["a=1", "&b=%20"],
        headers: [["content-type", "application/x-www-form-urlencoded"]],
      })),
    ).toEqual([
      ["a", "1"],
      ["b", " "],
    ]);
  });

  test("of many parts costs no stack", async () => {
    expect(
      await value(`return (await (await fetch("http://a.b")).bytes()).length`, () => ({
        parts: Array.from({ length: 3000 }, () => "x"),
      })),
    ).toBe(3000);
  });

  test("larger than the run's memory ends the run", async () => {
    const { error } = await run(
      `return (await (await fetch("http://a.b")).bytes()).length`,
      () => ({ parts: Array.from({ length: 80 }, () => new Uint8Array(2 ** 20)) }),
      { memoryBytes: 64 * 2 ** 20, timeMs: 20_000 },
    );
    expect(error).toMatchObject({ kind: "memory" });
  });
});

describe("a failure", () => {
  const refused = { type: "NetError", message: "Cannot connect to a.b", subject: "connect" };

  test("to connect is a TypeError with its cause", async () => {
    expect(
      await value(
        `try { await fetch("http://a.b") } catch (e) { return [e instanceof TypeError, e.message, e.cause.name, e.cause.message, e.cause.code] }`,
        () => ({ fails: refused }),
      ),
    ).toEqual([true, "fetch failed: Cannot connect to a.b", "NetError", "Cannot connect to a.b", "connect"]);
  });

  test("that nobody catches names the place", async () => {
    const { error } = await run(
      `const load = async () => {\n await fetch("http://a.b") };\n await load()`,
      () => ({ fails: refused }),
    );
    expect(error).toMatchObject({ kind: "udf", type: "TypeError", line: 6 });
    expect(error.traceback).toMatch(
      /^TypeError: fetch failed: Cannot connect to a\.b\n {4}at load \(udf\.ts:6:\d+\)\n.*\nCaused by: NetError: Cannot connect to a\.b$/s,
    );
  });

  test("of permission is the host's own error, and ends the run as one", async () => {
    const { error } = await run(`\nawait fetch("http://a.b")`, () => ({ fails: denial }));
    expect(error).toMatchObject({
      kind: "permission",
      type: "PermissionDeniedError",
      subject: "net",
      value: "a.b:80",
      line: 6,
    });
    expect(await value(`return caught(() => fetch("http://a.b"))`, () => ({ fails: denial }))).toEqual([
      "PermissionDeniedError",
      denial.message,
    ]);
  });

  test("of permission while a body comes is one, too", async () => {
    const { error } = await run(`const r = await fetch("http://a.b"); await r.text()`, () => ({
      parts: ["1", "2"],
      error: denial,
    }));
    expect(error).toMatchObject({ kind: "permission", subject: "net" });
  });

  test("in the middle of a body fails what reads it", async () => {
    const broken = { type: "NetError", message: "The answer broke off", subject: "protocol" };
    const { net, value } = await run(
      `const r = await fetch("http://a.b"); const text = await caught(() => r.text()); const s = (await fetch("http://a.b")).body; let seen = ""; const loop = await caught(async () => { for await (const part of s) seen += part.length }); return [text, loop, seen]`,
      () => ({ parts: ["12", "3"], error: broken }),
    );
    const expected = ["TypeError", "fetch failed: The answer broke off"];
    expect(value).toEqual([expected, expected, "21"]);
    expect(net.calls.filter((call) => call.startsWith("close"))).toEqual([]);
  });

  test("of the host itself is told", async () => {
    expect(
      await value(`return caught(() => fetch("http://a.b"))`, () => ({
        fails: { type: "UsageError", message: "The host has no binding net.fetch" },
      })),
    ).toEqual(["UsageError", "The host has no binding net.fetch"]);
  });

  test("to parse names the place where it was read", async () => {
    const { error } = await run(`const r = await fetch("http://a.b");\n return await r.json()`, () => ({
      parts: ["<html>"],
    }));
    expect(error).toMatchObject({ kind: "udf", type: "SyntaxError", line: 6 });
  });
});

describe("a signal", () => {
  const never = () => new Promise<never>(() => {});

  test("that is aborted already asks for nothing", async () => {
    const { net, value } = await run(
      `let why; const body = new ReadableStream({ cancel(reason) { why = reason } }); return [await caught(() => fetch("http://a.b", { signal: AbortSignal.abort() })), await fetch("http://a.b", { signal: AbortSignal.abort("mine"), method: "POST", body, duplex: "half" }).catch((e) => e), why]`,
    );
    expect(value).toEqual([["AbortError", "This operation was aborted"], "mine", "mine"]);
    expect(net.calls).toEqual([]);
  });

  test("gives up a request on its way", async () => {
    expect(
      await value(
        `const c = new AbortController(); setTimeout(() => c.abort(), 5); return caught(() => fetch("http://a.b", { signal: c.signal }))`,
        never,
      ),
    ).toEqual(["AbortError", "This operation was aborted"]);
    expect(
      await value(`return caught(() => fetch("http://a.b", { signal: AbortSignal.timeout(5) }))`, never),
    ).toEqual(["TimeoutError", "The operation was aborted due to timeout"]);
  });

  test("closes an answer that comes too late", async () => {
    const { net } = await run(
      `const c = new AbortController(); const asked = caught(() => fetch("http://a.b", { signal: c.signal })); c.abort(); await asked; await later()`,
      () => ({ parts: ["1", "2"] }),
    );
    expect(net.calls).toEqual(["fetch", "close 1"]);
  });

  test("fails and closes a body that comes", async () => {
    const { net, value } = await run(
      `const c = new AbortController(), r = await fetch("http://a.b", { signal: c.signal }), reader = r.body.getReader(); await reader.read(); const read = caught(() => reader.read()); c.abort(); return [await read, await caught(() => reader.closed)]`,
      () => ({ parts: ["1"], hangs: true }),
    );
    expect(value).toEqual(Array(2).fill(["AbortError", "This operation was aborted"]));
    expect(net.calls).toEqual(["fetch", "read 1", "close 1"]);
  });

  test("after the end of a body does nothing", async () => {
    const { net, value } = await run(
      `const c = new AbortController(), r = await fetch("http://a.b", { signal: c.signal }); const text = await r.text(); c.abort(); await later(); return text`,
      () => ({ parts: ["1", "2"] }),
    );
    expect(value).toBe("12");
    expect(net.calls).toEqual(["fetch", "read 1", "read 1"]);
  });

  test("stops a body that is being read for the request", async () => {
    const { net, value } = await run(
      `const c = new AbortController(); let why; const body = new ReadableStream({ pull: () => new Promise(() => {}), cancel(reason) { why = reason } }); setTimeout(() => c.abort("mine"), 5); return [await fetch("http://a.b", { method: "POST", body, duplex: "half", signal: c.signal }).catch((e) => e), why]`,
    );
    expect(value).toEqual(["mine", "mine"]);
    expect(net.calls).toEqual([]);
  });

  test("whose time the host finds over first is a TimeoutError", async () => {
    const timeout = { type: "NetError", message: "It took too long", subject: "timeout" };
    expect(
      await value(`return caught(() => fetch("http://a.b", { signal: AbortSignal.timeout(20) }))`, () => ({
        fails: timeout,
      })),
    ).toEqual(["TimeoutError", "The operation was aborted due to timeout"]);
    expect(
      await value(`return caught(() => fetch("http://a.b", { signal: AbortSignal.timeout(5000) }))`, () => ({
        fails: timeout,
      })),
    ).toEqual(["TypeError", "fetch failed: It took too long"]);
  });
});

describe("a hostile UDF", () => {
  const long = (): Answer => ({ parts: ["12", "3", "45"], headers: [["a", "1"]] });
  const REQUEST = `const answer = await fetch("http://a.b/c", { method: "POST", headers: { x: "y" }, body: "z", signal: new AbortController().signal }); return await answer.text()`;

  test.each([
    [
      "methods of arrays",
      `for (const name of Object.getOwnPropertyNames(Array.prototype)) if (typeof Array.prototype[name] === "function") Array.prototype[name] = () => { throw new Error("patched") }; Array.prototype[Symbol.iterator] = () => { throw new Error("patched") }`,
    ],
    [
      "methods of promises",
      `Promise.prototype.then = Promise.prototype.catch = Promise.prototype.finally = Promise.resolve = Promise.reject = () => { throw new Error("patched") }`,
    ],
    [
      "methods of texts, numbers and regular expressions",
      `for (const C of [String, Number, RegExp, Function, Map, WeakMap, WeakRef, FinalizationRegistry]) for (const name of Object.getOwnPropertyNames(C.prototype)) try { if (typeof C.prototype[name] === "function") C.prototype[name] = () => { throw new Error("patched") } } catch {}
      RegExp.prototype[Symbol.replace] = RegExp.prototype[Symbol.split] = RegExp.prototype[Symbol.match] = () => { throw new Error("patched") }`,
    ],
    [
      "methods of buffers",
      `for (const C of [ArrayBuffer, DataView, Uint8Array, Object.getPrototypeOf(Uint8Array)]) for (const name of Reflect.ownKeys(C.prototype)) try { Object.defineProperty(C.prototype, name, { get() { throw new Error("patched") } }) } catch {}`,
    ],
    [
      "setters",
      `for (const name of ["0", "1", "length", "url", "name", "value", "get", "set", "writable", "item", "next", "stack", "code", "type", "signal", "body", "handle", "status", "done", "reason"])
        Object.defineProperty(Object.prototype, name, Object.assign(Object.create(null), { configurable: true, set() { throw new Error("set") } }))`,
    ],
    ["toJSON", `Object.prototype.toJSON = String.prototype.toJSON = Array.prototype.toJSON = () => "forged"`],
    [
      "tools",
      `JSON.stringify = JSON.parse = Reflect.apply = Object.keys = Object.create = Math.min = Math.max = ArrayBuffer.isView = Date.now = () => { throw new Error("patched") }`,
    ],
    [
      "globals",
      // Without Set no UDF has a result: runtime/value.ts.
      `for (const name of Reflect.ownKeys(globalThis)) if (!["fetch", "AbortController", "globalThis", "Set"].includes(name)) try { globalThis[name] = undefined } catch {}`,
    ],
    [
      "our own classes",
      `for (const C of [Response, Request, Headers, ReadableStream, EventTarget, Event]) for (const name of Object.getOwnPropertyNames(C.prototype)) if (name !== "text") try { Object.defineProperty(C.prototype, name, { get() { throw new Error("patched") } }) } catch {}`,
    ],
  ])("that has changed %s gets its answer", async (_, patch) => {
    const { net, error, value } = await run(`${patch};\n${REQUEST}`, long);
    expect(error).toBe(undefined);
    expect(value).toBe("12345");
    expect(net.asked).toEqual([
      {
        url: "http://a.b/c",
        method: "POST",
        headers: [
          ["x", "y"],
          ["content-type", "text/plain;charset=UTF-8"],
        ],
        body: "z",
        redirect: "follow",
        timeoutMs: null,
      },
    ]);
    expect(net.calls).toEqual(["fetch", "read 1", "read 1", "read 1"]);
  });

  test.each([
    ["options", `{ get method() { throw new RangeError("mine") } }`],
    ["headers", `{ headers: { get a() { throw new RangeError("mine") } } }`],
    [
      "headers that are iterated over",
      `{ headers: { [Symbol.iterator]() { throw new RangeError("mine") } } }`,
    ],
    ["a body", `{ method: "POST", body: { toString() { throw new RangeError("mine") } } }`],
    [
      "a body's stream",
      `{ method: "POST", duplex: "half", body: new ReadableStream({ pull() { throw new RangeError("mine") } }) }`,
    ],
    [
      "a body's stream later",
      `{ method: "POST", duplex: "half", body: new ReadableStream({ async pull(c) { await later(1); c.error(new RangeError("mine")) } }) }`,
    ],
  ])("gets what its own getter of %s throws", async (_, init) => {
    const { net, value } = await run(`return caught(() => fetch("http://a.b", ${init}))`);
    expect(value).toEqual(["RangeError", "mine"]);
    expect(net.calls).toEqual([]);
  });

  test("reads each option once", async () => {
    const { net, value } = await run(
      `const seen = []; const init = new Proxy({ method: "POST", body: "x", headers: { a: "b" } }, { get(target, name) { seen.push(name); return target[name] } }); await fetch("http://a.b", init); return [seen.length === new Set(seen).size, seen.includes("body")]`,
    );
    expect(value).toEqual([true, true]);
    expect(net.calls).toEqual(["fetch"]);
  });

  test("cannot change a request after it was checked", async () => {
    const { net } = await run(
      `const headers = new Headers({ a: "1" }), bytes = new Uint8Array([97]); let signal = new AbortController().signal;
       const asked = fetch("http://a.b", { method: "POST", headers, get body() { headers.set("a", "2"); return bytes } }); headers.set("a", "3"); bytes[0] = 98; await asked`,
    );
    expect(net.asked[0]).toMatchObject({ body: "a", headers: [["a", "2"]] });
  });

  test("cannot make what looks like ours", async () => {
    expect(
      await value(
        `const fake = (C) => Object.create(C.prototype); const seen = [];
         for (const fn of [() => fake(Response).text(), () => fake(Request).clone(), () => fake(Headers).get("a"), () => fake(ReadableStream).getReader(), () => fake(Blob).text(), () => fake(FormData).get("a"), () => new Response().headers.constructor.prototype.entries.call({}), () => fetch("http://a.b", { signal: fake(AbortSignal) }), () => new (new ReadableStream({ start(c) { seen.controller = c.constructor } }).constructor)() && new seen.controller({})]) seen.push((await caught(fn))[0]);
         return [...seen]`,
      ),
    ).toEqual(Array(9).fill("TypeError"));
  });

  test("cannot use headers that its host gave for another", async () => {
    expect(
      await value(
        `const r = await fetch("http://a.b"); const h = new Headers(r.headers); h.set("a", "2"); return [r.headers.get("a"), h.get("a")]`,
        long,
      ),
    ).toEqual(["1", "2"]);
  });

  test("that waits for nothing is told so", async () => {
    const { error } = await run(`await new ReadableStream().getReader().read()`);
    expect(error).toMatchObject({ type: "NeverSettles" });
  });
});

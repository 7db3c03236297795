import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { here, TestEngine } from "./testing.node.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.open();
});
afterAll(() => engine.engine.putBack());

/** Helpers of the cases: an error as its name, a stream as its chunks. */
const TOOLS = `
  const caught = async (fn) => { try { return await fn(); } catch (error) { return error?.name ?? error; } };
  const chunks = async (stream) => { const all = []; for await (const chunk of stream) all.push(chunk instanceof Uint8Array ? [...chunk] : chunk); return all; };
  const later = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));
  const text = (bytes) => new TextDecoder().decode(bytes);
`;

const inGuest = async (body: string) => {
  const { value, error } = await engine.run(`export default async () => { ${TOOLS} ${body} }`);
  expect(error).toBe(undefined);
  return value;
};

/** The same code in Node, which has these standards in full, and in a UDF, whose result has null for undefined. */
const same = async (body: string) => {
  const expected = await here(`(async () => { ${TOOLS} ${body} })()`);
  expect(await inGuest(body)).toEqual(JSON.parse(JSON.stringify(expected) ?? "null"));
};

type Case = [title: string, body: string];

describe("Headers", () => {
  test.each<Case>([
    ["are made of pairs", `return [...new Headers([["B", " 2\\t"], ["a", "1"], ["b", "3"]])]`],
    ["are made of an object", `return [...new Headers({ "X-Y": 1, a: undefined, ["b"]: null })]`],
    [
      "are made of headers",
      `const a = new Headers({ a: "1" }), b = new Headers(a); b.set("a", "2"); return [a.get("a"), b.get("A")]`,
    ],
    [
      "are made of any iterable",
      `return [...new Headers(new Map([["a", "1"], ["b", new Set(["c"]).size]]))]`,
    ],
    [
      "take away and set",
      `const h = new Headers([["a", "1"], ["b", "2"], ["a", "3"]]); h.delete("B"); h.set("A", "4"); h.append("c", ""); h.set("d", "5"); return [[...h], h.has("b"), h.has("C"), h.get("x"), h.get("c")]`,
    ],
    [
      "keep cookies apart",
      `const h = new Headers([["set-cookie", "b=2"], ["z", "1"], ["Set-Cookie", "a=1"]]); return [h.getSetCookie(), [...h], h.get("set-cookie"), new Headers().getSetCookie()]`,
    ],
    [
      "are iterated over in order",
      `const h = new Headers({ c: "3", a: "1" }), seen = []; h.forEach(function (value, name, all) { seen.push([value, name, all === h, this.x]) }, { x: 1 }); return [seen, [...h.keys()], [...h.values()], [...h.entries()], h[Symbol.iterator] === h.entries]`,
    ],
    [
      "notice changes while they are iterated over",
      `const h = new Headers({ a: "1", c: "3" }), seen = []; for (const [name] of h) { seen.push(name); if (name === "a") h.append("b", "2") } return seen`,
    ],
    [
      "refuse what is no header",
      `const bad = [["", "x"], ["a b", "x"], ["a:", "x"], ["é", "x"], ["a", "x\\r\\ny: z"], ["a", "x\\ny"], ["a", "\\0"], ["a", "\\u0100"], ["a\\r\\nb", "x"]];
       const seen = []; for (const pair of bad) seen.push(await caught(() => new Headers([pair])), await caught(() => new Headers().set(...pair)), await caught(() => new Headers().append(...pair))); return seen`,
    ],
    ["trim a value and keep what is in it", `return [...new Headers({ a: "\\r\\n  x \\t y\\xff\\r\\n " })]`],
    [
      "refuse what they cannot be made of",
      `return [await caught(() => new Headers(null)), await caught(() => new Headers("a")), await caught(() => new Headers([["a"]])), await caught(() => new Headers([["a", "b", "c"]])), await caught(() => new Headers([1])), await caught(() => new Headers({ [Symbol()]: "1" }))]`,
    ],
    [
      "are a class",
      `return [Object.prototype.toString.call(new Headers()), Headers.length, Headers.name, Headers.prototype.append.length, await caught(() => Headers.prototype.get.call({}, "a")), await caught(() => Headers())]`,
    ],
  ])("%s", (_, body) => same(body));
});

describe("Response", () => {
  test.each<Case>([
    [
      "has defaults",
      `const r = new Response(); return [r.status, r.statusText, r.ok, r.type, r.url, r.redirected, r.body, r.bodyUsed, [...r.headers], await r.text()]`,
    ],
    [
      "reads a text",
      `const r = new Response("é"); return [r.headers.get("content-type"), r.bodyUsed, await r.text(), r.bodyUsed, await caught(() => r.text())]`,
    ],
    [
      "drops a byte order mark",
      `return [await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 97, 255])).text(), await new Response("\\ufeff{}").json()]`,
    ],
    [
      "reads JSON",
      `return [await new Response('{"a":[1,"\\\\u0000"]}').json(), await caught(() => new Response("{").json()), await caught(() => new Response("").json())]`,
    ],
    [
      "reads bytes",
      `const r = (b) => new Response(b); return [[...await r("ab").bytes()], (await r("abc").arrayBuffer()).byteLength, (await r(new Uint8Array([1, 2, 3]).subarray(1)).bytes()).join()]`,
    ],
    [
      "reads a blob",
      `const b = await new Response("x", { headers: { "content-type": "text/css" } }).blob(); return [b.type, b.size, await b.text(), (await new Response("y").blob()).type]`,
    ],
    [
      "copies the buffer that it is made of",
      `const b = new Uint8Array([97]); const r = new Response(b); b[0] = 98; return r.text()`,
    ],
    [
      "takes a view that is no byte array",
      `return [[...await new Response(new Uint16Array([1, 2]).subarray(1)).bytes()], [...await new Response(new DataView(new ArrayBuffer(4), 1, 2)).bytes()]]`,
    ],
    [
      "takes parameters of a URL",
      `const r = new Response(new URLSearchParams({ a: "b c" })); return [r.headers.get("content-type"), await r.text()]`,
    ],
    [
      "takes a blob",
      `const r = new Response(new Blob(["x"], { type: "a/b" })); return [r.headers.get("content-type"), await r.text()]`,
    ],
    [
      "takes anything else as text",
      `return [await new Response(5).text(), await new Response({}).text(), await new Response([1, 2]).text(), await new Response(false).text()]`,
    ],
    [
      "keeps a content type that is there",
      `return new Response("x", { headers: { "Content-Type": "a/b" } }).headers.get("content-type")`,
    ],
    [
      "takes a stream",
      `return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([97])); c.enqueue(new Uint8Array([98])); c.close() } })).text()`,
    ],
    [
      "refuses a stream of other things",
      `return caught(() => new Response(new ReadableStream({ start(c) { c.enqueue("a"); c.close() } })).text())`,
    ],
    [
      "refuses a stream that is in use",
      `const s = new ReadableStream(); s.getReader(); const t = new ReadableStream(); await t.cancel(); return [await caught(() => new Response(s)), await caught(() => new Response(t))]`,
    ],
    [
      "passes on what a stream throws",
      `return [await caught(() => new Response(new ReadableStream({ pull() { throw new RangeError("x") } })).text()), await caught(() => new Response(new ReadableStream({ start(c) { c.error(7) } })).arrayBuffer())]`,
    ],
    [
      "is locked by a reader of its body",
      `const r = new Response("x"); const reader = r.body.getReader(); const first = [r.bodyUsed, r.body.locked, await caught(() => r.text())]; await reader.read(); return [...first, r.bodyUsed]`,
    ],
    [
      "gives the same body each time",
      `const r = new Response("x"); return [r.body === r.body, await chunks(r.body), r.bodyUsed, await caught(() => r.text())]`,
    ],
    ["has a body of length 0", `const r = new Response(""); return [r.body !== null, await chunks(r.body)]`],
    [
      "clones",
      `const r = new Response("abc", { status: 201, headers: { a: "b" } }), c = r.clone(); return [await r.text(), await c.text(), c.status, c.headers.get("a"), c.headers !== r.headers]`,
    ],
    [
      "clones a stream",
      `const r = new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([1])); c.enqueue(new Uint8Array([2])); c.close() } })), c = r.clone(); return [[...await c.bytes()], [...await r.bytes()]]`,
    ],
    [
      "clones to bytes of its own",
      `const r = new Response("ab"), c = r.clone(); const b = await r.bytes(); b[0] = 0; return c.text()`,
    ],
    [
      "does not clone what was read",
      `const r = new Response("x"); await r.text(); return caught(() => r.clone())`,
    ],
    [
      "refuses a bad status",
      `return [await caught(() => new Response("", { status: 199 })), await caught(() => new Response("", { status: 600 })), await caught(() => new Response("x", { status: 204 })), await caught(() => new Response(null, { status: 304 })).then((r) => r.status), await caught(() => new Response("", { statusText: "a\\nb" }))]`,
    ],
    [
      "writes JSON",
      `const r = Response.json({ a: 1 }, { status: 201 }); return [r.status, r.headers.get("content-type"), await r.json(), await caught(() => Response.json(undefined)), await caught(() => Response.json(1n)), Response.json(1, { headers: { "content-type": "a/b" } }).headers.get("content-type")]`,
    ],
    [
      "makes errors",
      `const r = Response.error(); return [r.type, r.status, r.ok, await caught(() => r.headers.set("a", "b"))]`,
    ],
    [
      "makes redirects",
      `const r = Response.redirect("http://a.b/c", 307); return [r.status, r.headers.get("location"), await caught(() => Response.redirect("/c")), await caught(() => Response.redirect("http://a.b", 200)), await caught(() => r.headers.append("a", "b"))]`,
    ],
    [
      "reads getters of its options once",
      `let n = 0; new Response("", { get status() { n++; return 200 }, get headers() { n++; return {} }, get statusText() { n++; return "" } }); return n`,
    ],
    [
      "refuses options that are none",
      `return [await caught(() => new Response("", 1)), await caught(() => new Response("", null)).then((r) => r.status)]`,
    ],
    [
      "has methods that are no enumerable ones and mind what they are called on",
      `return [Object.prototype.toString.call(new Response()), Response.prototype.json.length, Response.prototype.json.name, Response.length, await caught(() => Response.prototype.text.call({})), await caught(() => Response())]`,
    ],
  ])("%s", (_, body) => same(body));
});

describe("Request", () => {
  test.each<Case>([
    [
      "has defaults",
      `const r = new Request("http://a.b"); return [r.method, r.url, r.redirect, r.mode, r.cache, r.credentials, r.referrer, r.referrerPolicy, r.integrity, r.keepalive, r.destination, r.duplex, r.body, r.bodyUsed, r.signal.aborted, [...r.headers]]`,
    ],
    [
      "reads URLs",
      `return ["http://a.b/c?d#e", "HTTP://A.b:80/../c", "https://1.2.3.4:443/x", "http://a.b/%2e%2E/x", "http://a.b/a/./b", "http://0x7f.1/", new URL("http://a.b/ä?ö"), "http://a-b.c:8080/x~y/(z)?q=1&r='2'"].map((url) => new Request(url).url)`,
    ],
    [
      "refuses what is no URL, or has a password",
      `return [await caught(() => new Request("/a")), await caught(() => new Request("")), await caught(() => new Request("http://u:p@a.b/")), await caught(() => new Request("http://u@a.b/"))]`,
    ],
    [
      "writes methods",
      `return ["get", "Post", "DELETE", "options", "head", "put", "Foo"].map((method) => new Request("http://a.b", { method }).method)`,
    ],
    [
      "refuses methods",
      `const seen = []; for (const method of ["", "a b", "CONNECT", "trace", "TRACK", "G\\r\\nET", null]) seen.push(await caught(() => new Request("http://a.b", { method }).method)); return seen`,
    ],
    [
      "has no body with GET and HEAD",
      `return [await caught(() => new Request("http://a.b", { body: "x" })), await caught(() => new Request("http://a.b", { method: "HEAD", body: "" })), await caught(() => new Request("http://a.b", { body: null }).method)]`,
    ],
    [
      "is made of a request",
      `const a = new Request("http://a.b", { method: "POST", body: "x", headers: { a: "b" }, redirect: "manual" }); const b = new Request(a, { headers: { c: "d" } }); return [b.method, b.redirect, [...b.headers], await b.text(), a.bodyUsed, await caught(() => new Request(a))]`,
    ],
    [
      "gets another body",
      `const a = new Request("http://a.b", { method: "POST", body: "x" }); const b = new Request(a, { body: "y" }); return [await a.text(), await b.text()]`,
    ],
    [
      "clones",
      `const a = new Request("http://a.b", { method: "POST", body: "x", headers: { a: "b" } }), b = a.clone(); return [await a.text(), await b.text(), b.method, b.headers.get("a"), await caught(() => a.clone())]`,
    ],
    [
      "needs duplex for a stream",
      `const body = () => new ReadableStream({ start(c) { c.enqueue(new Uint8Array([97])); c.close() } }); return [await caught(() => new Request("http://a.b", { method: "POST", body: body() })), await new Request("http://a.b", { method: "POST", body: body(), duplex: "half" }).text(), await caught(() => new Request("http://a.b", { duplex: "full" }))]`,
    ],
    [
      "refuses options that it does not know",
      `const seen = []; for (const init of [{ redirect: "no" }, { redirect: "follow error" }, { mode: "navigate" }, { cache: "x" }, { credentials: "x" }, { window: {} }, { signal: {} }, { referrerPolicy: "x" }, 1]) seen.push(await caught(() => new Request("http://a.b", init).url)); return seen`,
    ],
    [
      "takes options without effect here",
      `const r = new Request("http://a.b", { cache: "no-store", credentials: "omit", mode: "no-cors", keepalive: true, referrer: "", referrerPolicy: "origin", window: null, signal: null }); return [r.cache, r.credentials, r.mode, r.keepalive, r.referrerPolicy, r.signal.aborted]`,
    ],
    [
      "follows a signal",
      `const c = new AbortController(), r = new Request("http://a.b", { signal: c.signal }); const before = r.signal.aborted; c.abort(5); return [before, r.signal.aborted, r.signal.reason, r.signal !== c.signal, new Request(r).signal.aborted]`,
    ],
    [
      "reads getters once, and passes on what they throw",
      `const seen = []; const init = {}; for (const name of ["body", "cache", "credentials", "headers", "integrity", "keepalive", "method", "mode", "redirect", "referrer", "referrerPolicy", "signal", "window"]) Object.defineProperty(init, name, { get() { seen.push(name) } }); new Request("http://a.b", init); return [new Set(seen).size === seen.length, await caught(() => new Request("http://a.b", { get headers() { throw new RangeError() } }))]`,
    ],
    [
      "reads its body",
      `const r = () => new Request("http://a.b", { method: "POST", body: '{"a":1}' }); return [await r().json(), await r().text(), (await r().blob()).size, [...await r().bytes()].length]`,
    ],
  ])("%s", (_, body) => same(body));

  test("refuses guarantees that nobody gives here", async () => {
    expect(
      await inGuest(
        `const seen = []; for (const init of [{ integrity: "sha256-x" }, { mode: "same-origin" }, { cache: "only-if-cached" }]) try { new Request("http://a.b", init) } catch (e) { seen.push(e.name + ": " + e.message) } return seen`,
      ),
    ).toEqual([
      "TypeError: Cannot make a Request: integrity is not checked here: compare the bytes with a hash",
      expect.stringMatching(/^TypeError: .* mode must be one of cors no-cors: received "same-origin"$/),
      expect.stringMatching(/^TypeError: .* cache must be one of .*: received "only-if-cached"$/),
    ]);
  });
});

describe("ReadableStream", () => {
  test.each<Case>([
    [
      "gives what is queued, then ends",
      `return chunks(new ReadableStream({ start(c) { c.enqueue(1); c.enqueue("b"); c.close() } }))`,
    ],
    [
      "asks for more when there is room",
      `let n = 0; const s = new ReadableStream({ pull(c) { c.enqueue(n++); if (n === 5) c.close() } }, { highWaterMark: 2 }); await later(); const ahead = n; return [ahead, await chunks(s)]`,
    ],
    [
      "asks for nothing ahead with a mark of 0",
      `let n = 0; const s = new ReadableStream({ pull(c) { c.enqueue(n++) } }, { highWaterMark: 0 }); await later(); const before = n; const r = s.getReader(); await r.read(); await later(); return [before, n]`,
    ],
    [
      "asks one at a time",
      `let now = 0, most = 0; const s = new ReadableStream({ async pull(c) { most = Math.max(most, ++now); await later(1); now--; c.enqueue(1) } }, { highWaterMark: 5 }); const r = s.getReader(); await Promise.all([r.read(), r.read(), r.read()]); return most`,
    ],
    [
      "counts sizes",
      `const s = new ReadableStream({ start(c) { c.enqueue("abc"); this.room = c.desiredSize; c.enqueue("d"); this.less = c.desiredSize; source = this } }, { highWaterMark: 5, size: (x) => x.length }); var source; return [source.room, source.less]`,
    ],
    [
      "fails with what start, pull or size throws",
      `const read = (s) => caught(() => s.getReader().read()); return [await caught(() => new ReadableStream({ start() { throw new RangeError() } })), await read(new ReadableStream({ async start() { throw new RangeError() } })), await read(new ReadableStream({ pull() { throw new RangeError() } })), await read(new ReadableStream({ async pull() { throw 7 } })), await read(new ReadableStream({ async start(c) { try { c.enqueue(1) } catch (e) { } } }, { size() { throw new SyntaxError() } })), await read(new ReadableStream({ start(c) { try { c.enqueue(1) } catch {} } }, { size: () => -1 }))]`,
    ],
    [
      "fails by its controller",
      `let control; const s = new ReadableStream({ start(c) { control = c; c.enqueue(1) } }); control.error(new RangeError()); return [control.desiredSize, await caught(() => s.getReader().read()), await caught(() => control.enqueue(2)), await caught(() => control.close())]`,
    ],
    [
      "refuses chunks after its end",
      `let control; const s = new ReadableStream({ start(c) { control = c; c.close() } }); return [control.desiredSize, await caught(() => control.enqueue(1)), await caught(() => control.close()), await chunks(s)]`,
    ],
    [
      "has one reader at a time",
      `const s = new ReadableStream(), r = s.getReader(); const seen = [s.locked, await caught(() => s.getReader()), await caught(() => s.cancel()), await caught(() => s.tee()), await caught(() => { for (const x of [s.values()]) return "made" })]; r.releaseLock(); return [...seen, s.locked, await caught(() => r.read()), await caught(() => r.cancel()), await caught(() => r.closed)]`,
    ],
    [
      "answers readers in order",
      `let control; const s = new ReadableStream({ start(c) { control = c } }), r = s.getReader(); const reads = [r.read(), r.read(), r.read()]; control.enqueue(1); control.enqueue(2); control.close(); return Promise.all(reads)`,
    ],
    [
      "refuses reads that wait when the lock is released",
      `const s = new ReadableStream(), r = s.getReader(); const read = caught(() => r.read()); r.releaseLock(); return read`,
    ],
    [
      "is cancelled",
      `let why; const s = new ReadableStream({ start(c) { c.enqueue(1) }, cancel(reason) { why = reason } }); const result = await s.cancel("enough"); return [result, why, await chunks(s), await caught(() => new ReadableStream({ cancel() { throw new RangeError() } }).cancel()), await s.cancel()]`,
    ],
    [
      "settles closed",
      `let control; const s = new ReadableStream({ start(c) { control = c } }), r = s.getReader(); const closed = r.closed.then(() => "closed"); control.close(); const t = new ReadableStream({ start(c) { c.error(new RangeError()) } }); return [await closed, await caught(() => t.getReader().closed), await r.closed, r.closed === r.closed]`,
    ],
    [
      "is iterated over",
      `let why = "none"; const s = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2) }, cancel() { why = "cancelled" } }); const seen = []; for await (const x of s) { seen.push(x); if (x === 2) break } return [seen, why, s.locked]`,
    ],
    [
      "is kept open by preventCancel",
      `let why = "none"; const s = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close() }, cancel() { why = "cancelled" } }); for await (const x of s.values({ preventCancel: true })) break; return [why, s.locked, await chunks(s)]`,
    ],
    [
      "lets an error out of a loop",
      `return caught(async () => { for await (const x of new ReadableStream({ pull(c) { c.error(new RangeError()) } })); })`,
    ],
    [
      "tees",
      `const [a, b] = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close() } }).tee(); return [await chunks(b), await chunks(a)]`,
    ],
    [
      "tees lazily and both fail",
      `let control; const [a, b] = new ReadableStream({ start(c) { control = c } }).tee(); control.enqueue(1); const x = await a.getReader().read(); control.error(new RangeError()); await later(); const r = b.getReader(); return [x, await caught(() => r.read())]`,
    ],
    [
      "is cancelled when both branches are",
      `let why; const [a, b] = new ReadableStream({ cancel(reason) { why = reason } }).tee(); const first = a.cancel("a").then(() => "a"); await later(); const before = why; await b.cancel("b"); return [before, why, await first]`,
    ],
    [
      "goes on when one branch is cancelled",
      `const [a, b] = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close() } }).tee(); a.cancel(); return chunks(b)`,
    ],
    [
      "takes bytes only as a stream of bytes",
      `const s = new ReadableStream({ type: "bytes", start(c) { c.enqueue(new Uint16Array([1])); c.close() } }); return [await chunks(s), await caught(() => new ReadableStream({ type: "bytes", start(c) { c.enqueue("x") } })), await caught(() => new ReadableStream({ type: "bytes", start(c) { c.enqueue(new Uint8Array(0)) } })), await caught(() => new ReadableStream({ type: "text" }))]`,
    ],
    [
      "refuses a source or strategy that is none",
      `return [await caught(() => new ReadableStream({ pull: 1 })), await caught(() => new ReadableStream({}, { highWaterMark: -1 })), await caught(() => new ReadableStream({}, { highWaterMark: NaN })), await caught(() => new ReadableStream({}, { size: 1 })), await caught(() => new ReadableStream(1)), await caught(() => new ReadableStream({ start: 1 }))]`,
    ],
    [
      "does not run out of stack",
      `let n = 0; const s = new ReadableStream({ start(c) { for (let i = 0; i < 20000; i++) c.enqueue(new Uint8Array([1])); c.close() } }); return (await new Response(s).bytes()).length`,
    ],
    [
      "does not run out of stack with a source that never waits",
      `let n = 0; const s = new ReadableStream({ pull(c) { if (++n === 20000) c.close(); else c.enqueue(new Uint8Array([1])) } }); return (await new Response(s).bytes()).length`,
    ],
  ])("%s", (_, body) => same(body));

  test("has no readers that bring a buffer", async () => {
    expect(
      await inGuest(
        `try { new ReadableStream({ type: "bytes" }).getReader({ mode: "byob" }) } catch (e) { return e.name + ": " + e.message }`,
      ),
    ).toBe("TypeError: Cannot make a reader: the mode byob is not supported: leave it out");
  });
});

describe("AbortController and AbortSignal", () => {
  test.each<Case>([
    [
      "abort once, with a reason",
      `const c = new AbortController(), seen = []; c.signal.addEventListener("abort", (e) => seen.push(e.type, e.target === c.signal, e.isTrusted)); c.signal.onabort = function (e) { seen.push("on", this === c.signal) }; c.abort("why"); c.abort("again"); return [seen, c.signal.aborted, c.signal.reason]`,
    ],
    [
      "have a reason of their own",
      `const c = new AbortController(); c.abort(); const { reason } = c.signal; return [reason.name, reason.code, reason instanceof DOMException, reason instanceof Error, await caught(() => c.signal.throwIfAborted())]`,
    ],
    [
      "are aborted from the start",
      `return [AbortSignal.abort(1).reason, AbortSignal.abort().reason.name, await caught(() => AbortSignal.abort(7).throwIfAborted())]`,
    ],
    [
      "are aborted by the clock",
      `const s = AbortSignal.timeout(5), before = s.aborted; await later(30); return [before, s.aborted, s.reason.name, s.reason.code]`,
    ],
    [
      "follow others",
      `const a = new AbortController(), b = new AbortController(), any = AbortSignal.any([a.signal, b.signal]), all = AbortSignal.any([any]); b.abort("b"); a.abort("a"); return [any.reason, all.reason, AbortSignal.any([AbortSignal.abort(3), a.signal]).reason, AbortSignal.any([]).aborted, await caught(() => AbortSignal.any([{}]))]`,
    ],
    [
      "are made by controllers only",
      `return [await caught(() => new AbortSignal()), Object.prototype.toString.call(AbortSignal.abort()), AbortSignal.abort() instanceof EventTarget]`,
    ],
    [
      "take a handler away",
      `const c = new AbortController(), seen = []; c.signal.onabort = () => seen.push(1); c.signal.onabort = null; c.abort(); return [seen, c.signal.onabort]`,
    ],
  ])("%s", (_, body) => same(body));
});

test("a time that is none is refused", async () => {
  const body = `return [await caught(() => AbortSignal.timeout(-1)), await caught(() => AbortSignal.timeout(Infinity)), await caught(() => AbortSignal.timeout("x"))]`;
  expect(await inGuest(body)).toEqual(["TypeError", "TypeError", "TypeError"]);
});

test("a blob comes in chunks", async () => {
  const body = `const b = new Blob([new Uint8Array(150000).fill(1)]); const all = []; for await (const chunk of b.stream()) { all.push(chunk.length); chunk.fill(0) } return [all, (await b.bytes())[0]]`;
  expect(await inGuest(body)).toEqual([[65536, 65536, 18928], 1]);
});

describe("EventTarget and Event", () => {
  test.each<Case>([
    [
      "call listeners in order, each once",
      `const t = new EventTarget(), seen = []; const f = (e) => seen.push("f" + e.type); t.addEventListener("a", f); t.addEventListener("a", f); t.addEventListener("a", { handleEvent(e) { seen.push(this.x) }, x: "object" }); t.addEventListener("a", () => seen.push("once"), { once: true }); t.dispatchEvent(new Event("a")); t.removeEventListener("a", f); t.dispatchEvent(new Event("a")); t.dispatchEvent(new Event("b")); return seen`,
    ],
    [
      "stop at once",
      `const t = new EventTarget(), seen = []; t.addEventListener("a", (e) => { seen.push(1); e.stopImmediatePropagation() }); t.addEventListener("a", () => seen.push(2)); t.dispatchEvent(new Event("a")); return seen`,
    ],
    [
      "tell of preventDefault",
      `const t = new EventTarget(); t.addEventListener("a", (e) => e.preventDefault()); return [t.dispatchEvent(new Event("a")), t.dispatchEvent(new Event("a", { cancelable: true }))]`,
    ],
    [
      "drop a listener by a signal",
      `const t = new EventTarget(), c = new AbortController(), seen = []; t.addEventListener("a", () => seen.push(1), { signal: c.signal }); t.addEventListener("a", () => seen.push(2), { signal: AbortSignal.abort() }); t.dispatchEvent(new Event("a")); c.abort(); t.dispatchEvent(new Event("a")); return seen`,
    ],
    [
      "describe an event",
      `const e = new Event("a", { bubbles: 1, composed: true }); return [e.type, e.bubbles, e.cancelable, e.composed, e.defaultPrevented, e.target, e.currentTarget, e.isTrusted, await caught(() => new Event()), Object.prototype.toString.call(e)]`,
    ],
  ])("%s", (_, body) => same(body));

  // Node differs from the DOM standard here.
  test("do not call who is added or removed meanwhile", async () => {
    const body = `const t = new EventTarget(), seen = []; const late = () => seen.push("late"), gone = () => seen.push("gone"); t.addEventListener("a", () => { seen.push("first"); t.addEventListener("a", late); t.removeEventListener("a", gone) }); t.addEventListener("a", gone); t.dispatchEvent(new Event("a")); return seen`;
    expect(await inGuest(body)).toEqual(["first"]);
  });
  test("refuse an event on its way", async () => {
    const body = `const t = new EventTarget(); let seen; t.addEventListener("a", (e) => { try { t.dispatchEvent(e) } catch (error) { seen = error.name } }); t.dispatchEvent(new Event("a")); return seen`;
    expect(await inGuest(body)).toBe("InvalidStateError");
  });

  test("end the run with what a listener throws", async () => {
    const { error } = await engine.run(
      `export default () => { const t = new EventTarget(); t.addEventListener("a", () => { throw new RangeError("lost") }); t.dispatchEvent(new Event("a")); return 1 }`,
    );
    expect(error).toMatchObject({ kind: "udf", type: "RangeError", message: "lost", line: 1 });
  });
});

describe("DOMException", () => {
  test.each<Case>([
    [
      "has a name, a message and a number",
      `return [new DOMException("m", "AbortError"), new DOMException("m", "DataCloneError"), new DOMException("m", "x"), new DOMException("m"), new DOMException(), new DOMException("m", { name: "SyntaxError", cause: 5 })].map((e) => [e.name, e.message, e.code, e.cause, String(e), e instanceof Error, typeof e.stack])`,
    ],
  ])("%s", (_, body) => same(body));
  test("is what other tools throw", async () => {
    expect(
      await inGuest(
        `const seen = []; for (const fn of [() => atob("!"), () => structuredClone(() => 0)]) try { fn() } catch (e) { seen.push(e instanceof DOMException && e.name) } return seen`,
      ),
    ).toEqual(["InvalidCharacterError", "DataCloneError"]);
  });
  test("is reported by its name", async () => {
    const { error } = await engine.run(
      `export default () => { throw new DOMException("enough", "AbortError") }`,
    );
    expect(error).toMatchObject({ kind: "udf", type: "AbortError", message: "enough", line: 1 });
    expect(error.traceback).toBe("AbortError: enough\n    at default (udf.ts:1:46)");
  });
});

describe("Blob and File", () => {
  test.each<Case>([
    [
      "join parts",
      `const b = new Blob(["é", new Uint8Array([1, 2]), new Uint16Array([3]).buffer, new Blob(["x"]), 5, new DataView(new ArrayBuffer(1))]); return [b.size, b.type, [...await b.bytes()]]`,
    ],
    [
      "have a type in lower case",
      `return [new Blob([], { type: "Text/CSS" }).type, new Blob([], { type: "é" }).type, new Blob([], { type: "a\\nb" }).type]`,
    ],
    [
      "are sliced",
      `const b = new Blob(["abcdef"], { type: "a/b" }); const seen = []; for (const args of [[1, 3], [-2], [0, -1], [4, 2], [], [2, 100], [1, 2, "X/Y"], [NaN, 3]]) { const s = b.slice(...args); seen.push([await s.text(), s.type]) } return seen`,
    ],
    [
      "are read",
      `const b = new Blob(["ab"]); const bytes = await b.bytes(); bytes[0] = 0; return [await b.text(), (await b.arrayBuffer()).byteLength, await chunks(b.stream())]`,
    ],
    [
      "refuse what is no list of parts",
      `return [await caught(() => new Blob("x")), await caught(() => new Blob(1)), await caught(() => new Blob({})), await caught(() => new Blob([], { endings: "x" })), await caught(() => new Blob([], 1))]`,
    ],
    [
      "have names",
      `const f = new File(["x"], "a/b.txt", { type: "a/b", lastModified: 5 }); return [f.name, f.lastModified, f.type, f.size, await f.text(), f instanceof Blob, Object.prototype.toString.call(f), typeof new File([], "x").lastModified, await caught(() => new File([]))]`,
    ],
  ])("%s", (_, body) => same(body));
});

describe("FormData", () => {
  test.each<Case>([
    [
      "keeps entries in order",
      `const f = new FormData(); f.append("a", 1); f.append("b", "2"); f.append("a", null); f.set("b", "3"); const first = [...f]; f.set("a", "4"); f.append("c", "5"); f.delete("b"); return [first, [...f], f.get("a"), f.getAll("a"), f.get("x"), f.getAll("x"), f.has("c"), [...f.keys()], [...f.values()]]`,
    ],
    [
      "takes blobs as files",
      `const f = new FormData(); f.append("a", new Blob(["x"], { type: "a/b" })); f.append("b", new Blob(["y"]), "n"); f.append("c", new File(["z"], "m")); f.append("d", new File(["z"], "m"), "other"); return [...f].map(([k, v]) => [k, v.name, v.type, v.size, v instanceof File])`,
    ],
    [
      "refuses a file name for a text, and a form",
      `return [await caught(() => new FormData().append("a", "b", "c")), await caught(() => new FormData({}))]`,
    ],
    [
      "is written and read back",
      `const f = new FormData(); f.append('a"\\r\\n', "1\\r2\\n3"); f.append("f", new File([new Uint8Array([0, 13, 10, 45, 45, 255])], 'é"\\n.bin', { type: "x/y" })); f.append("e", ""); const r = new Response(f); const g = await r.formData(); const seen = []; for (const [k, v] of g) seen.push(typeof v === "string" ? [k, v] : [k, v.name, v.type, [...await v.bytes()]]); return [r.headers.get("content-type").split(";")[0], seen]`,
    ],
    [
      "is read from what others write",
      `const body = "--x y\\r\\nContent-Disposition: form-data; name=\\"a\\"\\r\\n\\r\\n1\\r\\n--x y\\r\\ncontent-type: text/css\\r\\ncontent-disposition: form-data; name=\\"b\\"; filename=\\"c\\"\\r\\n\\r\\n2\\r\\n--x y--\\r\\n"; const f = await new Response(body, { headers: { "content-type": 'multipart/form-data; boundary="x y"' } }).formData(); return [f.get("a"), f.get("b").name, f.get("b").type, await f.get("b").text()]`,
    ],
    [
      "is read from a query",
      `const f = await new Response(new URLSearchParams("a=1&b=%C3%A9+x&a=2")).formData(); return [...f]`,
    ],
    [
      "refuses what is no form",
      `const read = (body, type) => caught(() => new Response(body, { headers: type ? { "content-type": type } : {} }).formData()); return [await read("x"), await read("x", "multipart/form-data"), await read("--b\\r\\n", "multipart/form-data; boundary=b"), await read("--b\\r\\nContent-Disposition: form-data; name=\\"a\\"\\r\\n\\r\\n1", "multipart/form-data; boundary=b"), await read("", "multipart/form-data; boundary=b"), await read("--b\\r\\nX: y\\r\\n\\r\\n1\\r\\n--b--", "multipart/form-data; boundary=b")]`,
    ],
  ])("%s", (_, body) => same(body));

  test("cannot be left by a boundary in a file", async () => {
    const body = `const f = new FormData(); f.append("a", new Blob(["x"])); const type = new Response(f).headers.get("content-type"); const g = new FormData(); g.append("a", new Blob(["x"])); return type !== new Response(g).headers.get("content-type")`;
    expect(await inGuest(body)).toBe(true);
  });
});

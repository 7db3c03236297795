import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GUEST_GLOBALS } from "./globals.ts";
import { here, TestEngine } from "./testing.node.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.open();
});
afterAll(() => engine.engine.putBack());

/** What an expression is in a UDF. */
const inGuest = async (expression: string) => {
  const outcome = await engine.run(
    `export default async () => { const value = await (${expression}); return value }`,
  );
  expect(outcome.error).toBe(undefined);
  return outcome.value;
};

test("a UDF sees the listed globals and no others", async () => {
  const names = (await inGuest("Reflect.ownKeys(globalThis).map(String)")) as string[];
  expect(names.filter((name) => name !== "Symbol(Symbol.toStringTag)").sort()).toEqual(
    [...GUEST_GLOBALS].sort(),
  );
});

test("reaches nothing of the realm around it through what it sees", async () => {
  const code = `(() => {
    const seen = new Set(), found = [];
    const walk = (value, path) => {
      if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value) || path.length > 60) return;
      seen.add(value);
      for (const key of Reflect.ownKeys(value)) {
        const name = String(key);
        if (/^__|fuselet|process|require|WebAssembly|importScripts/i.test(name) && !/^__(proto|define|lookup)/.test(name)) found.push(path + "." + name);
        const property = Reflect.getOwnPropertyDescriptor(value, key);
        walk(property.value, path + "." + name); walk(property.get, path + "." + name); walk(property.set, path + "." + name);
      }
      walk(Reflect.getPrototypeOf(value), path + ".__proto__");
    };
    walk(globalThis, "");
    return [seen.size > 500, found];
  })()`;
  expect(await inGuest(code)).toEqual([true, []]);
  expect(await inGuest("(0, eval)('typeof process + typeof require + typeof WebAssembly')")).toBe(
    "undefinedundefinedundefined",
  );
  expect(await inGuest("console.log.constructor('return typeof process')()")).toBe("undefined");
});

test("the web's globals look as the platform's do", async () => {
  const code = `(() => {
    const classes = ["AbortController", "AbortSignal", "Blob", "DOMException", "Event", "EventTarget", "File", "FormData", "Headers", "ReadableStream", "Request", "Response", "TextDecoder", "TextEncoder", "URL", "URLSearchParams"];
    const odd = [];
    for (const name of classes) {
      const C = globalThis[name], tag = Object.getOwnPropertyDescriptor(C.prototype, Symbol.toStringTag);
      if (C.name !== name || Object.keys(C.prototype).length > 0 || tag.value !== name || tag.writable || tag.enumerable) odd.push(name);
      if (Object.getOwnPropertyDescriptor(globalThis, name).enumerable) odd.push(name + " is enumerable");
    }
    return [odd, fetch.name, fetch.length, "prototype" in fetch, classes.map((name) => globalThis[name].length)];
  })()`;
  expect(await inGuest(code)).toEqual([
    [],
    "fetch",
    1,
    false,
    [0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0],
  ]);
});

describe("text", () => {
  test.each([
    ["[...new TextEncoder().encode('a\u0000é😀\ud800')]"],
    ["new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 97, 0, 0xff]))"],
    ["new TextDecoder('utf8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 97]))"],
    [
      "[1, 2, 3, 4, 5].map((cut) => { const d = new TextDecoder(); const b = new TextEncoder().encode('é😀'); return d.decode(b.subarray(0, cut), { stream: true }) + '|' + d.decode(b.subarray(cut)) })",
    ],
    [
      "(() => { const into = new Uint8Array(4); return [new TextEncoder().encodeInto('aé😀', into), [...into]] })()",
    ],
    ["['', 'a', 'ab', 'abc', '\u00ff\u0000'].map((s) => [btoa(s), atob(btoa(s)) === s])"],
    ["[' Y Q = = ', 'YQ', 'YWI='].map((s) => atob(s))"],
    ["['Y', 'Y===', '!', 'YQ=a'].map((s) => { try { return atob(s) } catch (e) { return e.name } })"],
  ])("%s is what the platform says", async (expression) => {
    expect(await inGuest(expression)).toEqual(await here(expression));
  });
  test("a fatal decoder refuses what is no UTF-8", async () => {
    expect(
      await inGuest(
        "(() => { try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])) } catch (e) { return e.name } })()",
      ),
    ).toBe("TypeError");
  });
});

describe("console", () => {
  test.each([
    ["'a', 1, 'b', 2n, true, null, undefined, Symbol('s')", "a 1 b 2n true null undefined Symbol(s)"],
    [
      "{ a: 1, 'b-c': 'x', d: [1, 'two', { three: { four: {} } }] }",
      "{ a: 1, 'b-c': 'x', d: [ 1, 'two', { three: [Object] } ] }",
    ],
    ["[], {}, [[]], [undefined, null], -0", "[] {} [ [] ] [ undefined, null ] -0"],
    [
      "new Map([['a', 1]]), new Set(['b']), new Date(0), /x/g, new Uint8Array([1, 2])",
      "Map(1) { 'a' => 1 } Set(1) { 'b' } 1970-01-01T00:00:00.000Z /x/g Uint8Array(2) [ 1, 2 ]",
    ],
    ["function f() {}, class A {}, () => {}", "[Function: f] [class A] [Function (anonymous)]"],
    [
      "'%s is %d, %i, %f %j %% %o', 'x', 1.5, 1.5, '1.5', { a: 1 }, [1], 'more'",
      'x is 1.5, 1, 1.5 {"a":1} % [ 1 ] more',
    ],
    ["'100%', 5", "100% 5"],
    ['"it\'s", ["it\'s", \'say "hi"\']', "it's [ \"it's\", 'say \"hi\"' ]"],
    ["new (class Point { constructor() { this.x = 1 } })()", "Point { x: 1 }"],
    ["{ get a() { return 1 }, set a(v) {}, [Symbol('k')]: 2 }", "{ a: [Getter/Setter], [Symbol(k)]: 2 }"],
    ["(() => { const a = { n: 1 }; a.self = a; return a })()", "{ n: 1, self: [Circular *1] }"],
    ["'nul\u0000 lone\ud800'", "nul\u0000 lone\ufffd"],
  ])("console.log(%s)", async (values, expected) => {
    expect(await engine.run(`export default () => { console.log(${values}) }`)).toMatchObject({
      ok: true,
      stdout: `${expected}\n`,
      stderr: "",
    });
  });
  test("breaks long lines and long lists as Node does", async () => {
    const { stdout } = await engine.run(
      "export default () => console.log({ name: 'x'.repeat(60), other: 'y'.repeat(20) }, Array.from({ length: 120 }, () => 0))",
    );
    expect(stdout).toMatch(/^\{\n {2}name: 'x{60}',\n {2}other: 'y{20}'\n\} \[/);
    expect(stdout).toMatch(/\.\.\. 20 more items\n\]\n$/);
  });
  test("warn and error go to stderr, and an unreadable value does no harm", async () => {
    const { ok, stdout, stderr } = await engine.run(
      "export default () => { console.info('i'); console.debug('d'); console.warn('w'); console.error(new Proxy({}, { ownKeys() { throw 1 }, getPrototypeOf() { throw 1 } })) }",
    );
    expect({ ok, stdout }).toEqual({ ok: true, stdout: "i\nd\n" });
    expect(stderr).toMatch(/^w\n\[an object that cannot be read\]\n$/);
  });
  test("shows an error with its stack and cause", async () => {
    const { stdout } = await engine.run("export default () => console.log(new TypeError('t', { cause: 1 }))");
    expect(stdout).toMatch(/^TypeError: t\n\s+at .*udf\.ts:1:\d+\).* \{\n {2}\[cause\]: 1\n\}\n$/s);
  });
});

describe("timers", () => {
  test("fire in order, repeat, and can be cleared", async () => {
    const code = `(async () => {
      const order = [];
      setTimeout(() => order.push("c"), 20); setTimeout((a) => order.push(a), 5, "b"); const gone = setTimeout(() => order.push("no"), 6);
      clearTimeout(gone); queueMicrotask(() => order.push("a"));
      let n = 0; await new Promise((resolve) => { const id = setInterval(() => { if (++n === 3) { clearInterval(id); resolve() } }, 1) });
      await new Promise((resolve) => setTimeout(resolve, 30));
      return [order, n];
    })()`;
    expect(await inGuest(code)).toEqual([["a", "b", "c"], 3]);
  });
  test("take only functions", async () => {
    expect(await inGuest("(() => { try { setTimeout('1') } catch (e) { return e.message } })()")).toMatch(
      /must be a function: received string/,
    );
  });
  test("performance.now() starts near 0 and goes on", async () => {
    expect(await inGuest("new Promise((r) => setTimeout(() => r(performance.now()), 10))")).toSatisfy(
      (ms: number) => ms > 5 && ms < 1000,
    );
  });
});

describe("structuredClone()", () => {
  test.each([
    ["new Map([[{ a: 1 }, new Set([new Date(0)])]])"],
    ["[1, , 3]"],
    ["/a/gi"],
    ["new Uint8Array([1, 2]).subarray(1)"],
    ["{ a: [undefined, null, 1n, -0] }"],
  ])("copies %s", async (expression) => {
    expect(
      await inGuest(
        `((v) => { const c = structuredClone(v); return [c !== v, String(c), JSON.stringify(c, (k, x) => typeof x === "bigint" ? String(x) : x)] })(${expression.startsWith("{") ? `(${expression})` : expression})`,
      ),
    ).toEqual(
      here(
        `((v) => { const c = structuredClone(v); return [c !== v, String(c), JSON.stringify(c, (k, x) => typeof x === "bigint" ? String(x) : x)] })(${expression.startsWith("{") ? `(${expression})` : expression})`,
      ),
    );
  });
  test("keeps cycles and refuses functions", async () => {
    expect(
      await inGuest(
        "(() => { const a = { n: 1 }; a.a = a; const c = structuredClone(a); return [c.a === c, c !== a] })()",
      ),
    ).toEqual([true, true]);
    expect(
      await inGuest("(() => { try { structuredClone({ f() {} }) } catch (e) { return e.name } })()"),
    ).toBe("DataCloneError");
  });
});

describe("crypto", () => {
  test("makes version 4 UUIDs and refuses what is no integer array", async () => {
    expect(await inGuest("crypto.randomUUID()")).toMatch(
      /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    );
    expect(
      await inGuest(
        "[new Float32Array(1), [], new Uint8Array(70000)].map((a) => { try { crypto.getRandomValues(a) } catch (e) { return e.name } })",
      ),
    ).toEqual(["TypeError", "TypeError", "RangeError"]);
  });
});

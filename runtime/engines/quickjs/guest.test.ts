import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MediaValue, NdArray, TableValue } from "../../value.ts";
import { DEADLINE_TYPE } from "./guest.ts";
import { TestEngine } from "./testing.node.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.open();
});
afterAll(() => engine.engine.putBack());

const value = async (code: string, options = {}) => {
  const outcome = await engine.run(code, options);
  expect(outcome.error).toBe(undefined);
  return outcome.value;
};
const error = async (code: string, options = {}) => {
  const outcome = await engine.run(code, options);
  expect(outcome.ok).toBe(false);
  return outcome.error;
};

describe("values", () => {
  test.each([
    ["text with NUL and other planes", String.raw`"a\u0000b é 😀"`, "a\u0000b é 😀"],
    ["a lone surrogate", String.raw`"\ud800"`, "\ud800"],
    ["numbers", "[1.5, NaN, Infinity, -0]", [1.5, NaN, Infinity, -0]],
    ["a large integer", "2n ** 70n", 2n ** 70n],
    ["undefined", "undefined", null],
    ["nested data", "({a: [{b: null}], c: true})", { a: [{ b: null }], c: true }],
    ["a key like the tag", "({$: 'bytes', b: 0})", { $: "bytes", b: 0 }],
    ["__proto__ as a key", "JSON.parse('{\"__proto__\": 1}')", JSON.parse('{"__proto__": 1}')],
    ["bytes of a view", "new Uint8Array([1, 2, 3, 4]).subarray(1, 3)", new Uint8Array([2, 3])],
    ["a date", "new Date(1)", "1970-01-01T00:00:00.001+00:00"],
    ["a map and a set", "new Map([['a', new Set([1])]])", { a: [1] }],
  ])("carries %s out", async (_, code, expected) => {
    expect(await value(`export default () => (${code})`)).toStrictEqual(expected);
  });

  test("carries parameters in and out again", async () => {
    const parameters = {
      a: [1, "x\u0000", null],
      bytes: new Uint8Array([1, 2]),
      big: 2n ** 64n,
      s: "\ud800é",
    };
    expect(await value("export default (params) => params", { parameters })).toStrictEqual(parameters);
  });

  test("carries documents, arrays and tables", async () => {
    const code = `import { html, ndarray, png, table } from "fuselet/udf";
      export default () => [html("<p>é"), png(new Uint8Array([137])), ndarray(new Float32Array([1, 2, 3, 4]), [2, 2]), table(new Uint8Array([9]))];`;
    const [page, image, array, frame] = (await value(code)) as [MediaValue, MediaValue, NdArray, TableValue];
    expect(page).toMatchObject({ type: "text/html", bytes: new TextEncoder().encode("<p>é") });
    expect(image).toMatchObject({ type: "image/png", bytes: new Uint8Array([137]) });
    expect(array).toMatchObject({ dtype: "<f4", shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) });
    expect(frame).toMatchObject({ kind: "arrow", ipc: new Uint8Array([9]) });
  });

  test.each([
    ["a cycle", "const a = {}; a.a = [a]; return a", /result\["a"\]\[0\]: it is a reference back/],
    ["a function", "return { f() {} }", /result\["f"\]: it is a function \(f\)/],
    [
      "a class of the UDF's",
      "class Point {} return [new Point()]",
      /result\[0\]: it is an object of class Point/,
    ],
    [
      "too deep a value",
      "let a = []; for (let i = 0; i < 501; i++) a = [a]; return a",
      /more than 500 levels/,
    ],
    [
      "an endless toJSON",
      "const a = { toJSON: () => ({ a }) }; return a",
      /more than 500 levels|reference back/,
    ],
    ["a getter that throws", "return { get a() { throw new Error('no') } }", /reading it threw/],
    ["a proxy that throws", "return new Proxy({}, { ownKeys() { throw 1 } })", /reading it threw/],
    ["only the looks of bytes", "return Object.create(Uint8Array.prototype)", /reading it threw/],
    ["only the looks of a document", "return Object.create(MediaValue.prototype)", /reading it threw/],
  ])("refuses %s", async (_, body, message) => {
    const failure = await error(
      `import { MediaValue } from "fuselet/udf"; export default () => { MediaValue; ${body} }`,
    );
    expect(failure).toMatchObject({ kind: "result", message: expect.stringMatching(message) });
  });

  test("carries 500 levels in and out", async () => {
    const code =
      "export default ({ a }) => { let b = []; for (let i = 0; i < 499; i++) b = { b }; return [a, b] }";
    let a: unknown = [];
    for (let i = 0; i < 498; i++) a = [a];
    expect(JSON.stringify(((await value(code, { parameters: { a } })) as unknown[])[0])).toBe(
      JSON.stringify(a),
    );
  });

  test("lets a proxy through as the data that it shows", async () => {
    expect(await value("export default () => new Proxy({ a: 1 }, {})")).toEqual({ a: 1 });
  });
});

describe("failures", () => {
  test("names the user's own file, line and column", async () => {
    const code =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the template is the UDF's
      "interface P { n: number }\n\nfunction check(p: P): never {\n  throw new RangeError(`bad ${p.n}`);\n}\nexport default function main(n: number) {\n  return check({ n } as P);\n}\n";
    expect(await error(code, { parameters: { n: 3 }, file: "shop.ts" })).toEqual({
      kind: "udf",
      type: "RangeError",
      message: "bad 3",
      file: "shop.ts",
      line: 4,
      subject: null,
      value: null,
      traceback: "RangeError: bad 3\n    at check (shop.ts:4:23)\n    at main (shop.ts:7:3)",
    });
  });

  test("names the file of a bundled UDF", async () => {
    const files = {
      "lib/check.ts":
        "export type A = 1;\n\nexport const check = (a: unknown): never => {\n  throw new Error(String(a));\n};\n",
    };
    const failure = await error('import { check } from "./lib/check";\nexport default () => check(1);', {
      files,
    });
    expect(failure).toMatchObject({ file: "lib/check.ts", line: 4 });
    expect(failure.traceback).toMatch(/at check \(lib\/check\.ts:4:\d+\)\n.*udf\.ts:2:\d+/);
  });

  test.each([
    ["a text", 'throw "boom"', { type: "Uncaught", message: "'boom'" }],
    ["nothing", "throw undefined", { type: "Uncaught", message: "undefined" }],
    ["an object", "throw { code: 1 }", { type: "Uncaught", message: "{ code: 1 }" }],
    [
      "a class of the UDF's",
      "class MyError extends Error {} throw new MyError('m')",
      { type: "MyError", message: "m" },
    ],
    [
      "an error with a name",
      "const e = new Error('m'); e.name = 'Named'; throw e",
      { type: "Named", message: "m" },
    ],
    ["an unreadable error", "throw new Proxy(new Error('m'), { get() { throw 1 } })", { type: "Error" }],
    [
      "an error of getters",
      "throw Object.defineProperties(new Error(), { stack: { get() { throw 1 } }, message: { get() { throw 1 } } })",
      { type: "Error", message: "" },
    ],
  ])("reports %s", async (_, body, expected) => {
    expect(await error(`export default () => { ${body} }`)).toMatchObject({ kind: "udf", ...expected });
  });

  test("tells causes and the errors of an AggregateError", async () => {
    const cause = await error(
      "export default () => { throw new Error('outer', { cause: new TypeError('inner') }) }",
    );
    expect(cause.traceback).toMatch(/^Error: outer\n.*\nCaused by: TypeError: inner\n/s);
    const many = await error(
      "export default () => Promise.any([Promise.reject(new Error('a')), Promise.reject('b')])",
    );
    expect(many).toMatchObject({ type: "AggregateError" });
    expect(many.traceback).toMatch(/\[0\] Error: a.*\[1\] Uncaught: 'b'/s);
    const loop = await error("export default () => { const e = new Error('loop'); e.cause = e; throw e }");
    expect(loop.traceback.match(/Caused by/g)).toHaveLength(5);
  });

  test("tells loading from running", async () => {
    expect(await error("throw new Error('early'); export default () => 1")).toMatchObject({
      kind: "udf",
      message: "early",
      line: 1,
    });
    expect(await error("await null; throw new Error('late'); export default () => 1")).toMatchObject({
      kind: "udf",
      message: "late",
    });
    expect(await error("JSON.parse('{'); export default () => 1")).toMatchObject({
      kind: "udf",
      type: "SyntaxError",
    });
    expect(await error("import { nothing } from 'fuselet/udf'; export default () => nothing")).toMatchObject({
      kind: "load",
    });
  });

  test("refuses imports at run time", async () => {
    expect(await error("const name = 'node:fs'; export default () => import(name)")).toMatchObject({
      kind: "udf",
      message: 'Cannot import "node:fs": a UDF imports its own files and "fuselet/udf"',
    });
    expect(
      await value("export default async () => Object.keys(await import('fuselet/udf')).includes('udf')"),
    ).toBe(true);
  });

  test("takes an unhandled rejection for a failure, a late handler not", async () => {
    expect(
      await error("export default () => { (async () => { throw new Error('lost') })(); return 1 }"),
    ).toMatchObject({ kind: "udf", message: "lost" });
    expect(
      await value(
        "export default async () => { const p = Promise.reject(1); await null; p.catch(() => {}); return 2 }",
      ),
    ).toBe(2);
    expect(
      await error(
        "export default () => new Promise(() => setTimeout(() => { throw new Error('timer') }, 1))",
      ),
    ).toMatchObject({ message: "timer" });
    expect(
      await error("export default () => { queueMicrotask(() => { throw new Error('task') }); return 1 }"),
    ).toMatchObject({ message: "task" });
  });

  test("tells that a promise never settles", async () => {
    expect(await error("export default () => new Promise(() => {})")).toMatchObject({
      kind: "udf",
      message: expect.stringMatching(/never settles/),
    });
    expect(await error("await new Promise(() => {}); export default () => 1")).toMatchObject({
      message: expect.stringMatching(/never settles/),
    });
  });
});

describe("limits", () => {
  test.each([
    ["a loop", "export default () => { for (;;); }"],
    ["a loop at the top", "for (;;); export default () => 1"],
    [
      "a caught loop",
      "export default async () => { for (;;) { try { await (async () => { for (;;); })() } catch {} } }",
    ],
    ["microtasks", "export default async () => { for (;;) await null }"],
    [
      "microtasks behind a result",
      "export default () => { (async () => { for (;;) await null })(); return 1 }",
    ],
    [
      "timers",
      "export default () => new Promise(() => { const again = () => setTimeout(again, 0); again() })",
    ],
    ["waiting", "export default () => new Promise((resolve) => setTimeout(resolve, 1e6))"],
    ["a regular expression", "export default () => /^(a+)+$/.test('a'.repeat(40) + '!')"],
    [
      "toString of what is thrown",
      "export default () => { throw { toString() { for (;;); }, get constructor() { for (;;); } } }",
    ],
    ["a getter of the result", "export default () => ({ get a() { for (;;); } })"],
    ["console", "export default () => { for (;;) console.log('x') }"],
  ])("stops %s at the deadline", async (_, code) => {
    expect(await error(code, { timeMs: 150 })).toMatchObject({ kind: "internal", type: DEADLINE_TYPE });
    expect(await value("export default () => 1")).toBe(1);
  });

  test.each([
    ["arrays", "const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))"],
    ["strings", "const a = []; for (let i = 0; ; i++) a.push(String(i).padEnd(1e5))"],
    ["objects", "let o = null; for (;;) o = { o }"],
    ["buffers", "const a = []; for (;;) a.push(new ArrayBuffer(1e6))"],
    ["rejections", "for (;;) Promise.reject(new Error('x'))"],
    ["a result", "return new Uint8Array(70e6)"],
  ])("ends a memory bomb of %s as a memory failure", async (_, body) => {
    await using own = await TestEngine.open({ memoryBytes: 128 * 2 ** 20 });
    const { error: failure } = await own.run(`export default () => { ${body} }`, {
      memoryBytes: 96 * 2 ** 20,
      timeMs: 20_000,
    });
    expect(failure).toEqual(expect.objectContaining({ kind: "memory" }));
  });

  test("lets a UDF catch running out of memory, of stack and of string length", async () => {
    await using own = await TestEngine.open({ memoryBytes: 64 * 2 ** 20 });
    const catches = (body: string) =>
      own.run(`export default () => { try { ${body} } catch (e) { return e.name + ": " + e.message } }`, {
        memoryBytes: 64 * 2 ** 20,
      });
    expect((await catches("new Uint8Array(1e9)")).value).toBe("InternalError: out of memory");
    expect((await catches("const f = () => f() + 1; f()")).value).toBe("InternalError: stack overflow");
    expect((await catches("'x'.repeat(2 ** 30)")).value).toMatch(/InternalError: |RangeError: /);
    expect((await catches("2n ** (2n ** 40n)")).value).toMatch(/Error/);
    expect((await catches("JSON.parse('['.repeat(1e6))")).value).toMatch(/stack overflow|SyntaxError/);
    expect((await catches("new RegExp('('.repeat(1e5) + ')'.repeat(1e5))")).value).toMatch(/Error/);
  });

  test("reports a source that is nested too deeply for the realm's stack, and is not used again", async () => {
    await using own = await TestEngine.open();
    const { error: failure } = await own.run("export default () => eval('['.repeat(1e5))");
    expect(failure).toMatchObject({ kind: "udf", message: "stack overflow" });
    const { reusable, reason } = await own.engine.putBack();
    if (!reusable) expect(reason).toMatch(/call stack|recursion/);
  });

  test("keeps the wasm memory within what it was opened with", async () => {
    await using own = await TestEngine.open({ memoryBytes: 32 * 2 ** 20 });
    await own.run("export default () => { const a = []; for (;;) a.push(new Uint8Array(1e5).fill(1)) }", {
      memoryBytes: 2 ** 40,
    });
    expect((await own.engine.putBack()).heapBytes).toBeLessThanOrEqual(32 * 2 ** 20);
  });

  test("asks to be thrown away once the heap has grown", async () => {
    await using own = await TestEngine.open({ memoryBytes: 512 * 2 ** 20 });
    expect(await own.engine.putBack()).toEqual({ reusable: true, reason: null, heapBytes: 16 * 2 ** 20 });
    await own.run("export default () => new Uint8Array(15e7).length", { memoryBytes: 512 * 2 ** 20 });
    expect(await own.engine.putBack()).toMatchObject({
      reusable: false,
      reason: expect.stringMatching(/grew/),
    });
  });
});

describe("one run and the next", () => {
  test("nothing is left of a run", async () => {
    const dirty = `globalThis.left = 1; Array.prototype.map = () => "x"; JSON.stringify = () => "1"; Object.prototype.toJSON = () => 2; delete globalThis.Map;
      setTimeout(() => {}, 1e6); export default () => new Promise(() => {})`;
    const clean =
      "export default () => [globalThis.left, [1].map((x) => x), JSON.stringify([1]), typeof Map, Object.prototype.toJSON]";
    for (let i = 0; i < 3; i++) {
      await engine.run(dirty, { timeMs: 20 });
      expect(await value(clean)).toEqual([null, [1], "[1]", "function", null]);
    }
  });

  test("random numbers differ from run to run", async () => {
    const code =
      "export default () => [Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint32Array(1))[0]]";
    const runs = (await Promise.all([value(code)])).concat([
      await value(code),
      await value(code),
    ]) as unknown[][];
    for (const column of [0, 1, 2]) expect(new Set(runs.map((run) => run[column])).size).toBe(3);
  });

  test("takes one UDF at a time and can repeat the last", async () => {
    const plan = { style: "positional", parameters: [], open: null, defaults: {} };
    const text = (udf: unknown) => JSON.stringify({ udf, parameters: "{}", tile: null });
    const limits = { deadline: performance.now() + 1000, memoryBytes: 2 ** 26 };
    const first = engine.engine.run(
      {
        text: text({
          name: "u",
          file: "u.js",
          code: "export default () => new Promise((r) => setTimeout(r, 5, 7))",
          plan,
        }),
        buffers: [],
      },
      limits,
    );
    expect((await engine.engine.run({ text: text(null), buffers: [] }, limits)).text).toMatch(
      /one UDF at a time/,
    );
    expect((await first).text).toBe('{"ok":true,"value":7}');
    expect((await engine.engine.run({ text: text(null), buffers: [] }, limits)).text).toBe(
      '{"ok":true,"value":7}',
    );
  });
});

describe("a UDF that patches what everything uses", () => {
  const patches = [
    "for (const name of Object.getOwnPropertyNames(Array.prototype)) { if (typeof Array.prototype[name] === 'function') Array.prototype[name] = () => { throw new Error('patched') } }",
    "Object.prototype.toJSON = () => ({ ok: false })",
    "JSON.stringify = () => '1, \"forged\": true'; JSON.parse = () => ({})",
    "for (const C of [Map, Set, String, Promise, ArrayBuffer, Function, Number]) for (const name of Object.getOwnPropertyNames(C.prototype)) { try { C.prototype[name] = () => { throw new Error('patched') } } catch {} }",
    "Object.defineProperty(Object.prototype, 'then', { get() { throw new Error('then') } })",
    "Object.keys = Object.entries = Object.create = Reflect.apply = Reflect.ownKeys = () => { throw new Error('patched') }",
    "globalThis.Error = globalThis.Promise = globalThis.Uint8Array = undefined",
    "Object.defineProperty(Array.prototype, '0', { set() { throw new Error('set') }, get() { return 'forged' } })",
    "String.prototype.split = String.prototype.slice = () => ({ filter: () => ({ join: () => 'forged' }) })",
  ];
  test.each(patches)("gets an answer that is well formed: %s", async (patch) => {
    for (const body of [
      "return { a: [1, 'x'] }",
      "throw new TypeError('real')",
      "console.log('x', [1]); return 1",
    ]) {
      const outcome = await engine.run(`export default () => { ${patch}; ${body} }`, { timeMs: 500 });
      expect(typeof outcome.ok).toBe("boolean");
      if (!outcome.ok) expect(outcome.error).toMatchObject({ kind: expect.stringMatching(/^(udf|result)$/) });
      expect(await value("export default () => 1")).toBe(1);
    }
  });
});

describe("host calls", () => {
  const also =
    'import { callHost } from "./runtime/engines/quickjs/prelude/boot.ts"; globalThis.callHost = callHost;';
  test("go out with buffers and come back as values", async () => {
    await using own = await TestEngine.open({
      also,
      call: async (binding, method, { text, buffers }) => ({
        text: `{"ok": true, "value": [${JSON.stringify(binding + method)}, ${text}, {"$": "bytes", "b": 0}]}`,
        buffers: [(buffers[0] as Uint8Array).slice().reverse()],
      }),
    });
    const { value: answer } = await own.run(
      "export default () => callHost('net', 'fetch', [new Uint8Array([1, 2]), 'é'])",
    );
    expect(answer).toEqual(["netfetch", [new Uint8Array([2, 1]), "é"], new Uint8Array([2, 1])]);
  });
  test("many at once, in any order", async () => {
    const waits = [20, 1, 10];
    await using own = await TestEngine.open({
      also,
      call: async (_, __, { text }) => {
        await new Promise((resolve) => setTimeout(resolve, waits[Number(text)]));
        return { text: `{"ok":true,"value":${text}}`, buffers: [] };
      },
    });
    const code =
      "export default async () => { const order = []; await Promise.all([0, 1, 2].map((i) => callHost('b', 'm', i).then((v) => order.push(v)))); return order }";
    expect((await own.run(code)).value).toEqual([1, 2, 0]);
  });
  test("a denial and a lost host are errors that can be caught", async () => {
    await using own = await TestEngine.open({
      also,
      call: async (binding) => {
        if (binding === "lost") throw new Error("the pipe broke");
        return {
          text: JSON.stringify({
            ok: false,
            error: {
              kind: "permission",
              type: "PermissionDeniedError",
              message: "no net",
              subject: "net",
              value: "a.com",
            },
          }),
          buffers: [],
        };
      },
    });
    expect(
      (await own.run("export default () => callHost('net', 'fetch', 1).catch((e) => [e.name, e.message])"))
        .value,
    ).toEqual(["PermissionDeniedError", "no net"]);
    expect((await own.run("export default () => callHost('net', 'fetch', 1)")).error).toMatchObject({
      kind: "permission",
      subject: "net",
      value: "a.com",
      line: 1,
      traceback: expect.stringMatching(/^PermissionDeniedError: no net\n {4}at .*udf\.ts:1:\d+/),
    });
    expect((await own.run("export default () => callHost('lost', 'm', 1)")).error).toMatchObject({
      message: "the pipe broke",
    });
  });
});

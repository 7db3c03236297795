/** Calls of the host: values both ways, many at once, refusals. The bindings are those of bindings.ts. */
import { type Case, defineCase, ndarray } from "../case.ts";

const pythonAsync = (body: string, imports = ""): string =>
  `${imports}\nimport asyncio\nfrom fused._host import HostError, call, call_async\n@fused.udf\nasync def udf():\n    ${body.replaceAll("\n", "\n    ")}\n`;
const pythonSync = (body: string, imports = ""): string =>
  `${imports}\nfrom fused._host import HostError, call, call_async\n@fused.udf\ndef udf():\n    ${body.replaceAll("\n", "\n    ")}\n`;
const typescript = (body: string): string =>
  `import { host } from "fuselet/udf";\nexport default async () => {\n  ${body}\n};\n`;

const tree = { a: [1, null, "é🌍"], b: { c: true }, $: "x" };
const literal = '{"a": [1, None, "é🌍"], "b": {"c": True}, "$": "x"}';

/** What `test.deny` comes to where nobody catches it. */
const DENIED = {
  name: "PermissionDeniedError",
  permission: "net",
  value: "example.com",
  grant: "--allow-net=example.com",
  exitCode: 3,
};

export default [
  defineCase("a call that waits gives the host's answer", {
    python: pythonSync(`return [call("test.echo", ${literal}), call("test.count", 1, 2, 3)]`),
    needs: ["blockingCalls"],
    value: [tree, 3],
  }),
  defineCase("an asynchronous call gives the host's answer", {
    python: pythonAsync(
      `return [await call_async("test.echo", ${literal}), await call_async("test.count", 1, 2, 3)]`,
    ),
    typescript: typescript(
      `return [await host.call("test.echo", ${JSON.stringify(tree)}), await host.call("test.count", 1, 2, 3)];`,
    ),
    value: [tree, 3],
  }),
  defineCase("numbers cross to the host and back", {
    python: pythonAsync(
      'return [await call_async("test.echo", n) for n in (2**70, -(2**53) - 1, float("nan"), float("-inf"), -0.0, 0.1)]',
    ),
    typescript: typescript(
      'return Promise.all([2n ** 70n, -(2n ** 53n) - 1n, NaN, -Infinity, -0, 0.1].map((n) => host.call("test.echo", n)));',
    ),
    value: [2n ** 70n, -(2n ** 53n) - 1n, Number.NaN, -Infinity, -0, 0.1],
  }),
  defineCase("bytes cross to the host and back, each call with its own", {
    python: pythonAsync(
      'return await asyncio.gather(*[call_async("test.echo", [bytes([i]) * 3, b""]) for i in range(5)])',
    ),
    typescript: typescript(
      'return Promise.all([0, 1, 2, 3, 4].map((i) => host.call("test.echo", [new Uint8Array(3).fill(i), new Uint8Array()])));',
    ),
    value: [0, 1, 2, 3, 4].map((i) => [new Uint8Array(3).fill(i), new Uint8Array()]),
  }),
  defineCase("a megabyte crosses to the host and back", {
    python: pythonAsync(
      'data = bytes(range(256)) * 4096\nreturn (await call_async("test.echo", data)) == data',
    ),
    typescript: typescript(
      'const data = Uint8Array.from({ length: 1 << 20 }, (_, i) => i);\n  const back = (await host.call("test.echo", data)) as Uint8Array;\n  return back.length === data.length && back.every((byte, i) => byte === (i & 255));',
    ),
    value: true,
  }),
  defineCase("typed arrays cross to the host and back", {
    typescript: typescript('return host.call("test.echo", new Float64Array([1.5, -0]));'),
    value: ndarray("<f8", [2], [1.5, -0]),
  }),
  defineCase("a host that answers nothing answers null", {
    python: pythonAsync('return await call_async("test.nothing")'),
    typescript: typescript('return host.call("test.nothing");'),
    value: null,
  }),
  defineCase("the host knows who calls", {
    python: pythonAsync('return await call_async("test.who")'),
    typescript: typescript('return host.call("test.who");'),
    runs: [
      { value: { principal: "local", udf: "case" } },
      { principal: "ann", value: { principal: "ann", udf: "case" } },
    ],
  }),
  // Only calls that are under way together are ever answered: no clock is needed to see that they are.
  defineCase("ten calls are under way together", {
    python: pythonAsync(
      'return await asyncio.gather(*[call_async("test.meet", "ten", 10, i) for i in range(10)])',
    ),
    typescript: typescript(
      'return Promise.all(Array.from({ length: 10 }, (_, i) => host.call("test.meet", "ten", 10, i)));',
    ),
    value: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  }),
  defineCase("two hundred calls are under way together", {
    python: pythonAsync(
      'return sum(await asyncio.gather(*[call_async("test.meet", "many", 200, i) for i in range(200)]))',
    ),
    typescript: typescript(
      'const all = await Promise.all(Array.from({ length: 200 }, (_, i) => host.call("test.meet", "many", 200, i)));\n  return all.reduce((sum: number, n) => sum + (n as number), 0);',
    ),
    value: 19900,
  }),
  defineCase("two hundred and forty calls are under way together, whatever has been sent before", {
    python: pythonAsync(
      'for i in range(29):\n    print(i, flush=True)\nreturn sum(await asyncio.gather(*[call_async("test.meet", "most", 240, i) for i in range(240)]))',
    ),
    typescript: typescript(
      'for (let i = 0; i < 29; i++) console.log(i);\n  const all = await Promise.all(Array.from({ length: 240 }, (_, i) => host.call("test.meet", "most", 240, i)));\n  return all.reduce((sum: number, n) => sum + (n as number), 0);',
    ),
    value: 28680,
    stdout: null,
    runs: [{}, {}, {}],
  }),
  defineCase("two thousand calls are all answered", {
    python: pythonAsync(
      'return sum(await asyncio.gather(*[call_async("test.echo", i) for i in range(2000)]))',
    ),
    typescript: typescript(
      'const all = await Promise.all(Array.from({ length: 2000 }, (_, i) => host.call("test.echo", i)));\n  return all.reduce((sum: number, n) => sum + (n as number), 0);',
    ),
    value: 1999000,
  }),
  defineCase("a call that waits while others are under way gets its own answer", {
    python: pythonAsync(
      'pending = [asyncio.ensure_future(call_async("test.meet", "mixed", 4, i)) for i in range(3)]\nawait asyncio.sleep(0)\nmine = call("test.meet", "mixed", 4, "mine")\nreturn [mine, *await asyncio.gather(*pending)]',
    ),
    needs: ["blockingCalls"],
    value: ["mine", 0, 1, 2],
  }),
  defineCase("a refusal of the host is an error that can be caught", {
    python: pythonAsync(
      'try:\n    await call_async("test.refuse", "not now, Zoë")\nexcept HostError as error:\n    return ["HostError", error.type_name, str(error)]',
    ),
    typescript: typescript(
      'try {\n    await host.call("test.refuse", "not now, Zoë");\n  } catch (error) {\n    const { name, message } = error as Error;\n    return ["HostError", name, message];\n  }',
    ),
    value: ["HostError", "UsageError", "not now, Zoë"],
  }),
  defineCase("a refusal that nobody catches is the UDF's error", {
    python: pythonAsync('await call_async("test.refuse", "no")'),
    typescript: typescript('await host.call("test.refuse", "no");'),
    inPython: { error: { name: "UdfRuntimeError", type: "HostError", message: "HostError: no" } },
    inTypeScript: { error: { name: "UdfRuntimeError", type: "UsageError", message: "UsageError: no" } },
  }),
  defineCase("a denial that nobody catches is a denial", {
    python: pythonAsync('await call_async("test.deny")'),
    typescript: typescript('await host.call("test.deny");'),
    error: DENIED,
  }),
  defineCase("a denial of a call that waits is a denial", {
    python: pythonSync('call("test.deny")'),
    needs: ["blockingCalls"],
    error: DENIED,
  }),
  defineCase("a denial can be caught", {
    python: pythonAsync(
      'try:\n    await call_async("test.deny")\nexcept fused.PermissionDeniedError as error:\n    return str(error)',
    ),
    typescript: typescript('return host.call("test.deny").catch((error) => error.message);'),
    value: "Access to example.com is not granted",
  }),
  defineCase("what a binding throws that is none of ours keeps its text to itself", {
    python: pythonAsync(
      'try:\n    await call_async("test.leak")\nexcept HostError as error:\n    return "hunter2" in str(error)',
    ),
    typescript: typescript(
      'return host.call("test.leak").catch((error) => String(error).includes("hunter2"));',
    ),
    value: false,
  }),
  defineCase("a binding that does not exist is refused by name", {
    python: pythonAsync(
      'names = []\nfor name in ("test.missing", "nobody.echo", "test.constructor", "constructor.name", "__proto__.x", "test.__proto__"):\n    try:\n        await call_async(name)\n    except HostError as error:\n        names.append(str(error))\nreturn names',
    ),
    typescript: typescript(
      'const names: string[] = [];\n  for (const name of ["test.missing", "nobody.echo", "test.constructor", "constructor.name", "__proto__.x", "test.__proto__"])\n    await host.call(name).catch((error) => names.push(error.message));\n  return names;',
    ),
    value: [
      "test.missing",
      "nobody.echo",
      "test.constructor",
      "constructor.name",
      "__proto__.x",
      "test.__proto__",
    ].map((name) => `The host has no binding ${name}`),
  }),
  defineCase("what a host answers and what cannot cross is an error of the call", {
    python: pythonAsync(
      'try:\n    await call_async("test.unwritable")\nexcept HostError as error:\n    return error.type_name',
    ),
    typescript: typescript('return host.call("test.unwritable").catch((error) => error.name);'),
    value: "ResultError",
  }),
  defineCase("an argument that cannot cross is refused before the host hears of it", {
    python: pythonAsync(
      'try:\n    await call_async("test.echo", object())\nexcept Exception as error:\n    return "cannot cross" in str(error)',
    ),
    typescript: typescript(
      'return host.call("test.echo", () => 1).catch((error) => String(error).includes("cannot cross"));',
    ),
    value: true,
  }),
  defineCase("a call that the UDF does not wait for is dropped", {
    python: pythonAsync(
      'asyncio.ensure_future(call_async("test.never"))\nawait asyncio.sleep(0)\nreturn "done"',
    ),
    typescript: typescript('void host.call("test.never");\n  return "done";'),
    runs: [{ value: "done" }, { value: "done" }],
  }),
  defineCase("a call that is never answered ends with the time limit", {
    python: pythonAsync('await call_async("test.never")'),
    typescript: typescript('await host.call("test.never");'),
    limits: { timeMs: 400 },
    error: { name: "LimitExceededError", limit: "timeMs" },
  }),
  defineCase("a blocking call that is never answered ends with the time limit", {
    python: pythonSync('call("test.never")'),
    needs: ["blockingCalls"],
    runs: [{ limits: { timeMs: 400 }, error: { name: "LimitExceededError", limit: "timeMs" } }],
  }),
  defineCase("asynchronous calls count against the limit", {
    python: pythonAsync('return await asyncio.gather(*[call_async("test.echo", i) for i in range(11)])'),
    typescript: typescript(
      'return Promise.all(Array.from({ length: 11 }, (_, i) => host.call("test.echo", i)));',
    ),
    limits: { hostCalls: 10 },
    error: { name: "LimitExceededError", limit: "hostCalls", allowed: 10, exitCode: 125 },
  }),
  defineCase("a binding's signal fires when the run is over", {
    python: pythonAsync(
      'asyncio.ensure_future(call_async("test.wait"))\nawait call_async("test.ready")\nreturn 1',
    ),
    typescript: typescript('void host.call("test.wait");\n  await host.call("test.ready");\n  return 1;'),
    scenario: async ({ createRuntime, source }) => {
      const aborted = Promise.withResolvers<string>();
      const runtime = await createRuntime({
        host: {
          test: {
            ready: () => null,
            wait: (_, { signal }) =>
              new Promise(() => signal.addEventListener("abort", () => aborted.resolve("aborted"))),
          },
        },
      });
      const { value } = await runtime.run(source);
      return [value, await aborted.promise];
    },
    value: [1, "aborted"],
  }),
] satisfies Case[];

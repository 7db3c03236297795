/** UDFs that wait: event loops, timers, tasks, and waiting inside of what does not. */
import { type Case, defineCase } from "../case.ts";

export default [
  defineCase("an async UDF gives its value", {
    python:
      "import asyncio\n@fused.udf\nasync def udf(n: int = 2):\n    await asyncio.sleep(0)\n    return n * 2\n",
    typescript: "export default async ({ n = 2 }: { n?: number }) => {\n  await null;\n  return n * 2;\n};\n",
    parameters: { n: "21" },
    value: 42,
  }),
  defineCase("an async UDF's exception comes with its line", {
    python:
      "import asyncio\n@fused.udf\nasync def udf():\n    await asyncio.sleep(0)\n    raise ValueError('late')\n",
    typescript: "export default async () => {\n  await null;\n  \n  throw new RangeError('late');\n};\n",
    inPython: {
      error: { name: "UdfRuntimeError", message: "ValueError: late", location: { file: "case.py", line: 5 } },
    },
    inTypeScript: {
      error: { name: "UdfRuntimeError", message: "RangeError: late", location: { file: "case.ts", line: 4 } },
    },
  }),
  defineCase("asyncio.run works inside a UDF that is not async", {
    python:
      "import asyncio\nasync def later(n):\n    await asyncio.sleep(0)\n    return n\n@fused.udf\ndef udf():\n    return asyncio.run(later(5))\n",
    needs: ["blockingCalls"],
    value: 5,
  }),
  defineCase("gathered tasks give their values in order", {
    python:
      "import asyncio\n@fused.udf\nasync def udf():\n    async def part(n):\n        await asyncio.sleep(0.001 * (3 - n))\n        return n\n    return await asyncio.gather(*[part(n) for n in range(4)])\n",
    typescript:
      "export default () => Promise.all([0, 1, 2, 3].map((n) => new Promise((resolve) => setTimeout(() => resolve(n), 3 - n))));\n",
    value: [0, 1, 2, 3],
  }),
  defineCase("timers fire in the order of their times", {
    typescript:
      "export default async () => {\n  const order: number[] = [];\n  await new Promise<void>((resolve) => {\n    setTimeout(() => { order.push(3); resolve(); }, 20);\n    setTimeout(() => order.push(1), 0);\n    setTimeout(() => order.push(2), 5);\n    clearTimeout(setTimeout(() => order.push(9), 1));\n    queueMicrotask(() => order.push(0));\n  });\n  return order;\n};\n",
    value: [0, 1, 2, 3],
  }),
  defineCase("timers of one turn fire in the order of their times, however long the turn takes", {
    typescript: `export default async () => {
  const order: number[] = [];
  const both = new Promise((resolve) => {
    setTimeout(() => { order.push(2); resolve(null); }, 20);
    const end = performance.now() + 30;
    while (performance.now() < end);
    setTimeout(() => order.push(1), 5);
  });
  await both;
  return order;
};
`,
    value: [1, 2],
  }),
  defineCase("an interval fires until it is cleared", {
    typescript:
      "export default () => new Promise((resolve) => {\n  let count = 0;\n  const id = setInterval(() => { if (++count === 3) { clearInterval(id); resolve(count); } }, 1);\n});\n",
    value: 3,
  }),
  defineCase("top-level await", {
    typescript: "const value = await Promise.resolve(7);\nexport default () => value;\n",
    value: 7,
  }),
  defineCase("a timeout of the UDF's own ends what it waits for", {
    python:
      "import asyncio\n@fused.udf\nasync def udf():\n    try:\n        await asyncio.wait_for(asyncio.Event().wait(), 0.01)\n    except TimeoutError:\n        return 'timed out'\n",
    value: "timed out",
  }),
  defineCase("a task that was cancelled says so to itself", {
    python:
      "import asyncio\n@fused.udf\nasync def udf():\n    seen = []\n    async def work():\n        try:\n            await asyncio.Event().wait()\n        except asyncio.CancelledError:\n            seen.append('cancelled')\n            raise\n    task = asyncio.ensure_future(work())\n    await asyncio.sleep(0)\n    task.cancel()\n    try:\n        await task\n    except asyncio.CancelledError:\n        seen.append('gone')\n    return seen\n",
    value: ["cancelled", "gone"],
  }),
  defineCase("async generators, context managers and queues", {
    python:
      "import asyncio, contextlib\n@contextlib.asynccontextmanager\nasync def opened():\n    yield 'open'\n@fused.udf\nasync def udf():\n    queue = asyncio.Queue()\n    async def numbers():\n        for n in range(3):\n            await queue.put(n)\n            yield await queue.get()\n    async with opened() as name:\n        return [name, [n async for n in numbers()]]\n",
    typescript:
      "async function* numbers() {\n  for (let n = 0; n < 3; n++) {\n    await null;\n    yield n;\n  }\n}\nexport default async () => {\n  const seen: number[] = [];\n  for await (const n of numbers()) seen.push(n);\n  return ['open', seen];\n};\n",
    value: ["open", [0, 1, 2]],
  }),
  defineCase("a coroutine inside of a result cannot cross", {
    python: "async def later():\n    return 1\n@fused.udf\ndef udf():\n    return {'a': later()}\n",
    typescript: "export default () => ({ a: new Promise(() => {}) });\n",
    inPython: { stderr: null },
    error: { name: "ResultError", path: 'result["a"]' },
  }),
] satisfies Case[];

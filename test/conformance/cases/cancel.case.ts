/** Ending a run from outside: by a signal at each of its moments, and by closing the runtime. Events say when, no clock. */
import type { RunOptions } from "../../../sdk/typescript/compose.ts";
import { type Bench, type Case, defineCase } from "../case.ts";

const endlessPython =
  "@fused.udf\ndef udf():\n    print('started', flush=True)\n    while True:\n        pass\n";
const endlessTypeScript = "export default () => {\n  console.log('started');\n  for (;;);\n};\n";
const waitingPython =
  "from fused._host import call_async\n@fused.udf\nasync def udf():\n    print('started', flush=True)\n    await call_async('test.never')\n";
const waitingTypeScript =
  "import { host } from 'fuselet/udf';\nexport default () => {\n  console.log('started');\n  return host.call('test.never');\n};\n";

const alive = {
  python: "@fused.udf\ndef udf():\n    return 'alive'\n",
  typescript: "export default () => 'alive';\n",
};

/** Runs, and cancels as soon as the UDF has printed something. @returns the error's name, and what a run after it gives */
async function cancelRunning({ outcome, language }: Bench): Promise<unknown> {
  const controller = new AbortController();
  const { error, stdout } = await outcome({
    signal: controller.signal,
    onOutput: () => controller.abort(),
  });
  const { value } = await outcome({}, { source: alive[language] });
  return [(error as { name: string }).name, stdout, value ?? null];
}

const nameOf = (outcome: Awaited<ReturnType<Bench["outcome"]>>): unknown =>
  (outcome.error as { name: string } | undefined)?.name ?? outcome.value ?? null;

export default [
  defineCase("a signal that has fired already ends the run before it begins", {
    python: alive.python,
    typescript: alive.typescript,
    scenario: async ({ outcome }) => {
      const first = await outcome({ signal: AbortSignal.abort() });
      return [nameOf(first), nameOf(await outcome())];
    },
    value: ["CancelledError", "alive"],
  }),
  defineCase("a signal that fires while the first isolate starts ends the run", {
    python: alive.python,
    typescript: alive.typescript,
    scenario: async ({ createRuntime, outcome }) => {
      const runtime = await createRuntime({});
      const controller = new AbortController();
      const running = outcome({ signal: controller.signal }, { runtime });
      controller.abort();
      return [nameOf(await running), nameOf(await outcome({}, { runtime }))];
    },
    value: ["CancelledError", "alive"],
  }),
  defineCase("a signal ends a loop", {
    python: endlessPython,
    typescript: endlessTypeScript,
    scenario: cancelRunning,
    value: ["CancelledError", "started\n", "alive"],
  }),
  defineCase("a signal ends a wait for the host", {
    python: waitingPython,
    typescript: waitingTypeScript,
    scenario: cancelRunning,
    value: ["CancelledError", "started\n", "alive"],
  }),
  defineCase("a signal that fires after the run changes nothing", {
    python: alive.python,
    typescript: alive.typescript,
    scenario: async ({ outcome }) => {
      const controller = new AbortController();
      const options: RunOptions = { signal: controller.signal };
      const first = await outcome(options);
      controller.abort();
      return [nameOf(first), nameOf(await outcome())];
    },
    value: ["alive", "alive"],
  }),
  defineCase("a signal ends a run that waits for a free isolate, and only that one", {
    python: waitingPython,
    typescript: waitingTypeScript,
    scenario: async ({ createRuntime, outcome, language }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 1, spares: 0 } });
      const first = new AbortController();
      const second = new AbortController();
      const started = Promise.withResolvers<void>();
      const running = outcome({ signal: first.signal, onOutput: () => started.resolve() }, { runtime });
      await started.promise;
      const queued = outcome({ signal: second.signal }, { runtime, source: alive[language] });
      const third = outcome({}, { runtime, source: alive[language] });
      second.abort();
      const cancelled = await queued;
      first.abort();
      return [nameOf(cancelled), nameOf(await running), nameOf(await third)];
    },
    value: ["CancelledError", "CancelledError", "alive"],
  }),
  defineCase("closing the runtime ends a run under way, and refuses the next", {
    python: endlessPython,
    typescript: endlessTypeScript,
    scenario: async ({ createRuntime, outcome }) => {
      const runtime = await createRuntime({});
      const started = Promise.withResolvers<void>();
      const running = outcome({ onOutput: () => started.resolve() }, { runtime });
      await started.promise;
      await runtime.close();
      await runtime.close();
      const isolates = runtime.isolates.isolates;
      return [nameOf(await running), nameOf(await outcome({}, { runtime })), isolates];
    },
    value: ["IsolateError", "IsolateError", 0],
  }),
  defineCase("closing the runtime while its first isolate starts ends the run", {
    python: alive.python,
    typescript: alive.typescript,
    scenario: async ({ createRuntime, outcome }) => {
      const runtime = await createRuntime({});
      const running = outcome({}, { runtime });
      await Promise.resolve();
      await runtime.close();
      return [nameOf(await running), runtime.isolates.isolates];
    },
    value: ["IsolateError", 0],
  }),
  defineCase("closing the runtime ends runs that wait for a free isolate", {
    python: waitingPython,
    typescript: waitingTypeScript,
    scenario: async ({ createRuntime, outcome }) => {
      const runtime = await createRuntime({ pool: { maxIsolates: 1, spares: 0 } });
      const started = Promise.withResolvers<void>();
      const all = [
        outcome({ onOutput: () => started.resolve() }, { runtime }),
        outcome({}, { runtime }),
        outcome({ principal: "another" }, { runtime }),
      ];
      await started.promise;
      await runtime.close();
      return (await Promise.all(all)).map(nameOf);
    },
    value: ["IsolateError", "IsolateError", "IsolateError"],
  }),
] satisfies Case[];

/** What the attacks share: canaries, a runtime, controls that are slow to start. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { openBrowser } from "../../browser/chromium.mjs";
import { hostBundle } from "./bundles.mjs";
import { Canaries } from "./canaries.mjs";
import { dist, endGroup, nodePath, run } from "./processes.mjs";
import { World } from "./world.mjs";

const NEXT = {
  python: "import fused\n\n@fused.udf\ndef udf(n: int):\n    return [n, sum(range(n)), len('four')]\n",
  typescript:
    'import { udf } from "fuselet/udf";\nexport default udf({}, ({ n }: { n: number }) => [n, (n * (n - 1)) / 2, "four".length]);\n',
};

/** A UDF of one file. */
export function sourceOf(name, language, code) {
  const file = language === "python" ? `${name}.py` : `${name}.udf.ts`;
  return { name, language, code, file, headers: [], metadata: {} };
}

export class Context {
  #runtime;
  #pyodide;
  #host;
  #browser;
  #page;
  #world;
  #next = 0;

  static async open() {
    const context = new Context();
    context.canaries = await Canaries.open();
    context.createRuntime = (await import(pathToFileURL(join(dist, "index.node.js")).href)).createRuntime;
    return context;
  }

  /** A runtime that serves many attacks, one after the other, each by a principal of its own or not. */
  async runtime() {
    this.#runtime ??= await this.createRuntime({
      limits: { timeMs: 20_000 },
      pool: { maxIsolates: 3, spares: 1 },
    });
    return this.#runtime;
  }

  /** The same in a page of Chromium that has shared memory. `run` takes sources, no paths: a page has no files. */
  async page() {
    this.#page ??= this.openPage({});
    return this.#page;
  }

  /** What attacks on grants have around them. */
  async world() {
    this.#world ??= World.open(this);
    return this.#world;
  }

  /** A page of its own with a runtime. @param options of the runtime */
  async openPage(options) {
    this.#browser ??= openBrowser();
    const page = await (await this.#browser).openPage({ kind: "isolated" });
    await page.evaluate(async (options) => {
      globalThis.runtime = await fuselet.createRuntime({
        limits: { timeMs: 20_000 },
        pool: { maxIsolates: 3, spares: 1 },
        ...options,
      });
    }, options);
    return {
      async run(source, options = {}) {
        // As text: what carries values out of the page drops some keys.
        const text = await page.evaluate(
          ([source, options]) =>
            runtime.run(source, options).then(
              ({ value, stdout, stderr }) => JSON.stringify({ value, stdout, stderr }),
              (error) => JSON.stringify({ error: { ...error, name: error.name, message: error.message } }),
            ),
          [source, options],
        );
        const { error, ...result } = JSON.parse(text);
        if (error) throw Object.assign(new Error(error.message), error);
        return result;
      },
    };
  }

  /** What is wrong with the next run of another UDF, in each of the languages, if anything. */
  async nextRun(runtime, options = {}, languages = Object.keys(NEXT)) {
    const wrong = [];
    for (const language of languages) {
      const code = NEXT[language];
      const n = ++this.#next + 10;
      const expected = [n, (n * (n - 1)) / 2, 4];
      try {
        const { value } = await runtime.run(sourceOf("next", language, code), {
          parameters: { n },
          ...options,
        });
        if (!isDeepStrictEqual(value, expected))
          wrong.push(`the next ${language} run answered ${JSON.stringify(value)}`);
      } catch (error) {
        wrong.push(`the next ${language} run failed: ${error.name}: ${error.message}`);
      }
    }
    return wrong;
  }

  /** Runs UDFs one after the other in one plain Pyodide. @returns `{ value }`, `{ error }` or `{ died: true }` of the last */
  async plainPyodide(runs) {
    this.#pyodide ??= startPyodide();
    const control = this.#pyodide;
    const answer = await control.ask({ runs });
    // Several runs are about what they leave behind: that must not reach the next attack.
    if (answer.died || runs.length > 1) {
      control.end();
      if (this.#pyodide === control) this.#pyodide = undefined;
    }
    return answer;
  }

  /** Where the host's part of the runtime is, as one file. */
  async hostUrl() {
    this.#host ??= await hostBundle();
    return this.#host.url;
  }

  async close() {
    this.#host?.remove();
    await this.#runtime?.close();
    await (await this.#world)?.close();
    await (await this.#browser)?.close();
    this.#pyodide?.end();
    await this.canaries.close();
  }
}

/** A plain Pyodide in a process of its own. */
export function startPyodide() {
  const child = spawn(nodePath(26), [join(import.meta.dirname, "control-pyodide.mjs")], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  let settle = () => {};
  const isAnswer = (line) => line.startsWith("{");
  createInterface({ input: child.stdout }).on("line", (line) => isAnswer(line) && settle(JSON.parse(line)));
  child.on("close", () => settle({ died: true }));
  child.stdin.on("error", () => {});
  return {
    ask: (question) =>
      new Promise((resolve) => {
        settle = resolve;
        if (child.exitCode !== null || child.signalCode !== null) resolve({ died: true });
        child.stdin.write(`${JSON.stringify(question)}\n`);
      }),
    pid: child.pid,
    end: () => endGroup(child.pid),
  };
}

/** Runs an attack with the wall down, as often as there are runs; Pyodide stays the same for all. @returns `{ value }`, `{ error }` or `{ died: true }` */
export async function control(kind, runs, context) {
  if (kind === "pyodide") return context.plainPyodide(runs);
  const { file, parameters } = runs.at(-1);
  const [program, runner] =
    kind === "cpython" ? ["python3", "control-cpython.py"] : [nodePath(26), "control-node.mjs"];
  const { code, stdout, stderr } = await run(program, [
    join(import.meta.dirname, runner),
    file,
    JSON.stringify(parameters),
    String(runs.length),
  ]);
  if (code !== 0) return { died: true, error: stderr };
  const line = stdout.trim().split("\n").at(-1);
  return { value: JSON.parse(line) };
}

/** What a control did not show, if anything. */
export function checkControl({ reaches, dies }, answer) {
  if (dies) return answer.died ? [] : [`the control lives: ${JSON.stringify(answer)}`];
  const reached = Array.isArray(answer.value) ? answer.value : [];
  const missing = reaches.filter((name) => !reached.includes(name));
  return missing.length > 0
    ? [`the control does not reach ${missing.join(", ")}: ${JSON.stringify(answer).slice(0, 600)}`]
    : [];
}

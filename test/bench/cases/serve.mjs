/** `fuselet serve` under load, against the same functions as native handlers of FastAPI under uvicorn, one process each. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fastapi } from "../../setup/fastapi.mjs";
import { startServer } from "../../setup/serve.mjs";
import { figure, forScale, interleave, runProcess, under } from "../measure.mjs";

const SECONDS = 4;
const ROUNDS = 5;

/** Our requests a second are as many as `factor` of the peer's, or more. Samples are milliseconds a request. */
const rateOf = (factor) => ({
  text: `at least ${factor}x its requests/s`,
  unit: "x its requests/s",
  of: (ours, peer) => peer / ours,
  isMet: (value) => value >= factor,
});

/** Starts the native handlers. @returns their address, and their end */
async function startNative(file) {
  const child = spawn(await fastapi(), [file], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(createInterface({ input: child.stdout }), "line");
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        child.once("exit", resolve);
        child.kill();
      }),
  };
}

export async function run(bench) {
  const native = await startNative(bench.peer("native.py"));
  const ours = await startServer({ args: ["--allow-cache", "--isolates", "16"] });
  try {
    const { url } = ours;
    const peer = native.url;
    /** Saves a UDF and makes a link to it. @returns the link's token */
    const share = async (name, file, language) =>
      (await ours.share(name, readFileSync(bench.udf(file), "utf8"), { language })).token;
    const work = await share("work", "work.py", "python");
    const typed = await share("typed", "work.ts", "typescript");
    const tile = await share("tile", "tile.py", "python");
    const last = {};
    /** Milliseconds a request, of all connections together. */
    const load = (address, connections) => async () => {
      const line = await runProcess(bench.node, [bench.peer("load.mjs"), address, connections, SECONDS]);
      last[address] = JSON.parse(line);
      return 1000 / last[address].perSecond;
    };
    const cached = `${url}/${tile}/run/tiles/3/4/2.png?cache_max_age=1h`;
    const p99 = [];
    const tiles = await interleave(
      {
        ours: async () => {
          const ms = await load(cached, 64)();
          p99.push(last[cached].p99);
          return ms;
        },
        peer: load(`${peer}/tile/3/4/2.png`, 64),
      },
      { rounds: ROUNDS },
    );
    // Another parameter each time: nothing is cached.
    const python = await interleave(
      {
        ours: load(`${url}/${work}/run/file.json?n=300&cache_max_age=0`, 8),
        typed: load(`${url}/${typed}/run/file.json?n=300&cache_max_age=0`, 8),
        peer: load(`${peer}/work?n=300`, 8),
      },
      { rounds: ROUNDS },
    );
    const note =
      "each server is one process; ours has isolates of its own, and the load's own process is a third.";
    return [
      figure(
        {
          id: "serve-tile",
          title: "`fuselet serve`: a cached tile by a shared token, 64 connections, milliseconds a request",
          peer: "FastAPI, the handler computing it",
          target: rateOf(3),
          note,
        },
        tiles.ours,
        tiles.peer,
      ),
      figure(
        {
          id: "serve-tile-p99",
          title: "`fuselet serve`: the slowest hundredth of those",
          target: under(20),
        },
        p99.slice(-ROUNDS),
      ),
      figure(
        {
          id: "serve-python",
          title: "`fuselet serve`: a warm Python UDF of 10 ms, 8 connections, milliseconds a request",
          peer: "FastAPI, the same function",
          target: rateOf(0.5),
        },
        python.ours,
        python.peer,
      ),
      figure(
        {
          id: "serve-typescript",
          title: "`fuselet serve`: a warm TypeScript UDF that does the same, 8 connections",
          peer: "FastAPI, the Python function",
          target: rateOf(1),
        },
        python.typed,
        python.peer,
      ),
      figure(
        {
          id: "serve-typescript-python",
          title: "`fuselet serve`: that TypeScript UDF",
          peer: "the Python UDF here",
          target: forScale,
        },
        python.typed,
        python.ours,
      ),
    ];
  } finally {
    await ours.close();
    await native.close();
  }
}

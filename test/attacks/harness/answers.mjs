/**
 * Attacks by a server on whoever reads its answers: a UDF that asks for one, while a neighbour's runs are answered; then a program
 * without limits.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sourceOf } from "./context.mjs";
import { ATTACK_MS, checkHarm, HOST_BYTES, MiB, neighbour, watchHost } from "./flood.mjs";
import { checkOutcome, FILES, told } from "./udf.mjs";

export async function attempt(attack, context) {
  const world = await context.world();
  const problems = [];
  for (const [language, name] of Object.entries(FILES)) {
    const file = join(attack.folder, name);
    if (!existsSync(file)) continue;
    const code = readFileSync(file, "utf8");
    problems.push(
      ...(await tryAnswer(attack, { context, world, language, file, code })).map(
        (wrong) => `${language}: ${wrong}`,
      ),
    );
  }
  return problems;
}

async function tryAnswer({ name, limits, expect, control }, { context, world, language, file, code }) {
  const problems = [];
  const runtime = await world.runtime("runtime");
  world.reset();
  const parameters = told(world.target, code);
  const permissions = { net: [world.target.server] };
  const endNeighbour = neighbour(runtime);
  const before = process.memoryUsage.rss();
  const most = watchHost();
  const started = performance.now();
  const options = { principal: `${name} ${language}`, permissions, limits };
  const outcome = await runtime
    .run(sourceOf("attack", language, code), { parameters, ...options })
    .catch((error) => ({ error }));
  const ms = performance.now() - started;
  problems.push(...checkOutcome(expect, outcome), ...(await endNeighbour()));
  if (expect.limits && outcome.error?.limit && !expect.limits.includes(outcome.error.limit))
    problems.push(`it ended by ${outcome.error.limit}, not ${expect.limits.join(" or ")}`);
  if (ms > ATTACK_MS) problems.push(`it took ${Math.round(ms)} ms`);
  const grown = most() - before;
  if (grown > HOST_BYTES) problems.push(`the host grew by ${Math.round(grown / MiB)} MB`);
  world.reset();
  problems.push(...(await context.nextRun(runtime, { ...options, limits: undefined })));
  const wanted = { ...control, in: language === "python" ? "cpython" : "node" };
  problems.push(...(await checkHarm(wanted, file, runtime, context, parameters)));
  world.reset();
  return problems;
}

/**
 * Attacks on what a run was granted: by the command line, in a runtime, in a page; then with the wall down. attack.json may have
 *
 *     permissions   what a run gets; of a list, each in turn. `{server}` and such are filled in (world.mjs)
 *     most, udfs    what the runtime itself has (default: all), and files with UDFs that others may run, by name
 *     storage       the runtime's option of that name
 *     names         addresses of names below .test, a list for each look-up: { "a.test": [["10.0.0.1"], ["127.0.0.1"]] }
 *     before        what somebody else does before each run, and maybe while it runs (prepare.mjs)
 *     steps         several runs: { principal, permissions, parameters, context, another, before }; `another` is another UDF
 *     control       { in, permissions, reaches }: `granted` is the same runtime with these permissions, `naive` one with bindings that
 *                   check nothing; else as in context.mjs. `in` and `reaches` may be one for each language; `harm` is to the canaries
 *
 * Each run must answer `[]`, or fail as `expect` says.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Canaries } from "./canaries.mjs";
import { checkControl, control, sourceOf } from "./context.mjs";
import { prepare } from "./prepare.mjs";
import { fuselet } from "./processes.mjs";
import { checkLine, checkOutcome, FILES, told } from "./udf.mjs";
import { ALL } from "./world.mjs";

/** Fills in `{name}`. */
export const fill = (value, target) =>
  JSON.parse(JSON.stringify(value), (_, item) =>
    typeof item === "string"
      ? item.replace(/\{(\w+)\}/g, (whole, name) => (name in target ? String(target[name]) : whole))
      : item,
  );

export async function attempt(attack, context) {
  return [...(await tryAll(attack, context)), ...(await checkControls(attack, context))];
}

/** With the attack's file in each language. */
async function inEach(attack, context, work) {
  const problems = [];
  const world = await context.world();
  for (const [language, name] of Object.entries(FILES)) {
    const file = join(attack.folder, name);
    if (!existsSync(file)) continue;
    const job = { attack, context, world, language, file, code: readFileSync(file, "utf8") };
    problems.push(...(await work(job)).map((wrong) => `${language}, ${wrong}`));
  }
  return problems;
}

/** Everywhere with the wall up. @returns what is wrong, if anything */
export async function tryAll(attack, context) {
  let first;
  const languages = [];
  const problems = await inEach(attack, context, async (job) => {
    const wrong = [];
    first ??= job;
    languages.push(job.language);
    for (const place of ["command line", "runtime", "page"]) {
      if (attack.notIn?.[place]) continue;
      // One process a run is slow: one language is enough there, and it runs one UDF once.
      if (place === "command line" && (attack.steps || job !== first)) continue;
      wrong.push(...(await tryIn(place, job)).map((text) => `${place}: ${text}`));
    }
    await (await job.runtime)?.close();
    return wrong;
  });
  for (const place of ["runtime", "page"]) {
    if (attack.notIn?.[place]) continue;
    const runtime = await (await context.world()).runtime(place);
    problems.push(...(await context.nextRun(runtime, {}, languages)).map((wrong) => `${place}: ${wrong}`));
  }
  return problems;
}

/** With the wall down. */
export const checkControls = (attack, context) =>
  inEach(attack, context, async (job) => (await checkHarm(job)).map((wrong) => `control: ${wrong}`));

async function tryIn(place, job) {
  const { attack, context, world } = job;
  const problems = [];
  const variants = [attack.permissions ?? {}].flat();
  for (const permissions of place === "command line" ? variants.slice(0, 1) : variants) {
    const target = { ...world.target, ...context.canaries.target };
    const outcomes = await runSteps(
      place,
      { permissions, target, principal: `${attack.name} ${job.language}` },
      job,
    );
    const expect = { value: [], ...attack.expect };
    for (const outcome of outcomes) {
      const check = outcome.line ? checkLine(expect, outcome.line) : checkOutcome(expect, outcome);
      problems.push(...check, ...context.canaries.check(outcome.said));
    }
  }
  return problems;
}

async function runSteps(place, { permissions, target, principal }, job) {
  const { attack, context, world, language, file, code } = job;
  world.reset(attack);
  const outcomes = [];
  for (const step of attack.steps ?? [{}]) {
    const done = await prepare(step.before ?? attack.before, { world, target, canaries: context.canaries });
    const wanted = fill(step.permissions ?? permissions, target);
    const parameters = told({ ...target, ...step.parameters }, code);
    try {
      if (place === "command line") {
        const flags = [...flagsOf(wanted), ...(attack.flags ?? []), "--json-errors"];
        const line = await fuselet(file, parameters, { flags, env: world.env });
        outcomes.push({ line, said: line.stdout + line.stderr });
        continue;
      }
      const isOwn = (attack.most || attack.udfs || attack.storage) && place === "runtime";
      const runtime = isOwn ? await ownRuntime(attack, job, target) : await world.runtime(place);
      const comment = language === "python" ? "# another UDF\n" : "// another UDF\n";
      const source = sourceOf("attack", language, step.another ? code + comment : code);
      const outcome = await runtime
        .run(source, {
          parameters,
          permissions: wanted,
          principal: step.principal ? `${principal} ${step.principal}` : principal,
          context: step.context,
          limits: attack.limits,
        })
        .then(
          ({ value, stdout, stderr }) => ({ value, said: stdout + stderr + JSON.stringify(value) }),
          (error) => ({ error, said: `${JSON.stringify(error)}${error.message}` }),
        );
      outcomes.push(outcome);
    } finally {
      await done();
    }
  }
  return outcomes;
}

/** A runtime that has not all itself, or other options than the rest; one for all runs of an attack. */
function ownRuntime({ most = ALL, udfs = {}, storage, folder }, job, target) {
  const paths = Object.entries(udfs).map(([name, file]) => [name, join(folder, file)]);
  job.runtime ??= job.world.create({
    permissions: fill(most, target),
    pool: { maxIsolates: 2, spares: 0 },
    ...(paths.length > 0 ? { udfs: Object.fromEntries(paths) } : {}),
    ...(storage ? { storage } : {}),
  });
  return job.runtime;
}

/** A descriptor as somebody would type it. */
function flagsOf({ deny = {}, ...allow }) {
  const flag =
    (verb) =>
    ([name, value]) =>
      value === true
        ? [`--${verb}-${name}`]
        : value === false
          ? []
          : [`--${verb}-${name}=${value.join(",")}`];
  return [...Object.entries(allow).flatMap(flag("allow")), ...Object.entries(deny).flatMap(flag("deny"))];
}

async function checkHarm(job) {
  const { attack, context, world, file, code, language } = job;
  const { in: where, permissions = ALL, reaches, ...rest } = attack.control;
  const kind = where[language] ?? where;
  const wanted = { ...rest, reaches: reaches?.[language] ?? reaches };
  const canaries = await Canaries.open();
  let own;
  try {
    const target = { ...world.target, ...canaries.decoy };
    if (kind !== "granted" && kind !== "naive") {
      world.reset(attack);
      return checkControl(wanted, await control(kind, [{ file, parameters: told(target, code) }], context));
    }
    const place = kind === "naive" ? "naive" : "runtime";
    own = {
      ...job,
      runtime: undefined,
      context: { canaries },
      attack: { ...attack, expect: undefined, most: undefined, storage: undefined },
    };
    const outcomes = await runSteps(place, { permissions, target, principal: `control ${language}` }, own);
    // Of several runs the last ones reap what the first ones sowed.
    const value = outcomes.flatMap((outcome) => (Array.isArray(outcome.value) ? outcome.value : []));
    if (canaries.check("").length > 0) value.push("harm");
    const { error } = outcomes.at(-1);
    return checkControl(wanted, error ? { error: `${error.name}: ${error.message}`, value } : { value });
  } finally {
    await canaries.close();
    await (await own?.runtime)?.close();
  }
}

/** Attacks from inside a UDF: by the command line, then in a runtime that others use, then in a page, then with the wall down. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Canaries } from "./canaries.mjs";
import { checkControl, control, sourceOf } from "./context.mjs";
import { fuselet } from "./processes.mjs";

export const FILES = { python: "attack.py", typescript: "attack.udf.ts" };

/** What an attack is told of its target: the parameters that it declares. */
export function told(target, code) {
  const declares = (name) => new RegExp(`\\b${name}: (str|int|string|number)\\b`).test(code);
  return Object.fromEntries(Object.entries(target).filter(([name]) => declares(name)));
}

export async function attempt(attack, context) {
  const { canaries } = context;
  const file = join(attack.folder, FILES[attack.wall]);
  const expect = { value: [], ...attack.expect };
  const problems = [];
  const say = (where, wrong) => problems.push(...wrong.map((text) => `${where}: ${text}`));

  const code = readFileSync(file, "utf8");
  const target = told(canaries.target, code);
  const line = await fuselet(file, target, { flags: [...(attack.flags ?? []), "--json-errors"] });
  say("command line", checkLine(expect, line));
  say("command line", canaries.check(line.stdout + line.stderr));

  const places = {
    runtime: [() => context.runtime(), file],
    page: [() => context.page(), sourceOf("attack", attack.wall, code)],
  };
  for (const [place, [open, source]] of Object.entries(places)) {
    if (attack.notIn?.[place]) continue;
    const runtime = await open();
    const outcome = await runtime.run(source, { parameters: target }).then(
      ({ value, stdout, stderr }) => ({ value, said: stdout + stderr }),
      (error) => ({ error, said: JSON.stringify(error) + error.message }),
    );
    say(place, checkOutcome(expect, outcome));
    say(place, canaries.check(outcome.said + JSON.stringify(outcome.value ?? null)));
    say(place, await context.nextRun(runtime));
  }

  const own = await Canaries.open();
  try {
    const answer = await control(attack.control.in, [{ file, parameters: own.decoy }], context);
    problems.push(...checkControl(attack.control, answer));
    if (!existsSync(own.file) && !attack.control.dies) problems.push("the control destroyed its canary");
  } finally {
    await own.close();
  }
  return problems;
}

export function checkLine({ value, fails, exits }, { code, stdout, stderr, timedOut }) {
  if (timedOut) return ["it did not end"];
  if (fails)
    return exits.includes(code)
      ? []
      : [`it ended with ${code}, not ${exits.join(" or ")}: ${stdout}${stderr}`];
  if (code !== 0) return [`it ended with ${code}: ${stderr.slice(0, 2000)}`];
  return isDeepStrictEqual(JSON.parse(stdout), value) ? [] : [`it answered ${stdout.trim()}`];
}

export function checkOutcome({ value, fails }, { value: got, error }) {
  if (fails)
    return error && fails.includes(error.name)
      ? []
      : [`it ended with ${error ?? JSON.stringify(got).slice(0, 300)}`];
  if (error) return [`it failed: ${error.name}: ${error.message}`];
  return isDeepStrictEqual(got, value) ? [] : [`it answered ${JSON.stringify(got).slice(0, 300)}`];
}

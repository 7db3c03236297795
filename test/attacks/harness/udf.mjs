/** Attacks from inside a UDF: by the command line, then in a runtime that others use, then with the wall down. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Canaries } from "./canaries.mjs";
import { checkControl, control } from "./context.mjs";
import { fuselet } from "./processes.mjs";

const FILES = { python: "attack.py", typescript: "attack.udf.ts" };

export async function attempt(attack, context) {
  const { canaries } = context;
  const file = join(attack.folder, FILES[attack.wall]);
  const expect = { value: [], ...attack.expect };
  const problems = [];
  const say = (where, wrong) => problems.push(...wrong.map((text) => `${where}: ${text}`));

  const { target } = canaries;
  const line = await fuselet(file, target, { flags: [...(attack.flags ?? []), "--json-errors"] });
  say("command line", checkLine(expect, line));
  say("command line", canaries.check(line.stdout + line.stderr));

  const runtime = await context.runtime();
  const outcome = await runtime.run(file, { parameters: target }).then(
    ({ value, stdout, stderr }) => ({ value, said: stdout + stderr }),
    (error) => ({ error, said: JSON.stringify(error) + error.message }),
  );
  say("runtime", checkOutcome(expect, outcome));
  say("runtime", canaries.check(outcome.said + JSON.stringify(outcome.value ?? null)));
  say("runtime", await context.nextRun(runtime));

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

function checkLine({ value, fails, exits }, { code, stdout, stderr, timedOut }) {
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
    return error && fails.includes(error.name) ? [] : [`it ended with ${error ?? JSON.stringify(got)}`];
  if (error) return [`it failed: ${error.name}: ${error.message}`];
  return isDeepStrictEqual(got, value) ? [] : [`it answered ${JSON.stringify(got)}`];
}

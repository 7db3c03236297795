/** Attacks that leave something for a later run: of the same UDF, of another one of the same principal, of another principal. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkControl, control, sourceOf } from "./context.mjs";
import { checkOutcome, FILES } from "./udf.mjs";

/** An attack looks first and then leaves its traces: each run could find those of all before. */
function laterRuns(attack, language, code) {
  const source = sourceOf("attack", language, code);
  const comment = language === "python" ? "# another UDF\n" : "// another UDF\n";
  const another = sourceOf("another", language, code + comment);
  const [first, second] = [`${attack.name} first`, `${attack.name} second`];
  return {
    "the first run": [source, first],
    "the same UDF": [source, first],
    "another UDF": [another, first],
    "another principal": [source, second],
    "the first principal again": [source, first],
  };
}

export async function attempt(attack, context) {
  const problems = [];
  const [language, name] = Object.entries(FILES).find(([, name]) => existsSync(join(attack.folder, name)));
  const file = join(attack.folder, name);
  const runs = laterRuns(attack, language, readFileSync(file, "utf8"));
  for (const place of ["runtime", "page"]) {
    if (attack.notIn?.[place]) continue;
    const runtime = await context[place]();
    for (const [who, [source, principal]] of Object.entries(runs)) {
      const outcome = await runtime.run(source, { principal }).catch((error) => ({ error }));
      problems.push(...checkOutcome({ value: [] }, outcome).map((wrong) => `${place}, ${who}: ${wrong}`));
      // An isolate that is thrown away shows nothing of how one is put back.
      if (language === "python" && who === "the same UDF" && outcome.timing?.restoreMs === 0)
        problems.push(`${place}, ${who}: it ran in another isolate`);
    }
    for (const wrong of await context.nextRun(runtime)) problems.push(`${place}: ${wrong}`);
  }
  const twice = [
    { file, parameters: {} },
    { file, parameters: {} },
  ];
  problems.push(...checkControl(attack.control, await control(attack.control.in, twice, context)));
  return problems;
}

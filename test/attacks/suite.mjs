/**
 * Runs the attacks (README.md): `node test/attacks/suite.mjs [NAME …]`. Prints a line a folder; the last is `N passed, N failed`.
 * FUSELET_DIST names another build than dist/.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Context } from "./harness/context.mjs";

const WALLS = {
  python: "udf",
  typescript: "udf",
  realm: "realm",
  "main-realm": "main-realm",
  frames: "frames",
  state: "state",
  flood: "flood",
  process: "process",
  globals: "globals",
  net: "granted",
  answers: "answers",
  files: "granted",
  cache: "granted",
  broker: "granted",
  context: "granted",
  quota: "quota",
  prompt: "prompt",
};

function readAttacks() {
  return readdirSync(import.meta.dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "harness")
    .map(({ name }) => {
      const folder = join(import.meta.dirname, name);
      return { name, folder, ...JSON.parse(readFileSync(join(folder, "attack.json"), "utf8")) };
    });
}

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const attacks = readAttacks().filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
const context = await Context.open();
let failed = 0;
try {
  for (const attack of attacks) {
    const started = performance.now();
    const problems = [];
    try {
      if (!attack.tries || !attack.control)
        throw new Error("attack.json must say what it tries and have a control");
      const { attempt } = await import(`./harness/${WALLS[attack.wall]}.mjs`);
      problems.push(...(await attempt(attack, context)));
    } catch (error) {
      problems.push(`the harness failed: ${error.stack ?? error}`);
    }
    if (problems.length > 0) failed++;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${problems.length > 0 ? "FAIL" : "PASS"} ${attack.name} (${seconds} s)`);
    for (const problem of problems) console.log(`     ${problem}`);
  }
} finally {
  await context.close();
}
console.log(`${attacks.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/**
 * Runs the attacks (README.md): `node test/attacks/suite.mjs [NAME …]`. Prints a line a folder; the last is `N passed, N failed`.
 * All of them are run by two processes, each with its share, because most of an attack is waiting for limits to pass.
 * FUSELET_DIST names another build than dist/.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Context } from "./harness/context.mjs";

const SHARES = 2;

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

/** Runs attacks one after the other. @returns {Promise<number>} how many have failed */
async function run(attacks) {
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
  return failed;
}

const SUMMARY = /^(\d+) passed, (\d+) failed$/;

/** Has a share run by a process of its own, and shows what it says. @returns {Promise<number>} how many have failed */
async function runShare(share) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), `--share=${share}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let failed;
  for await (const line of createInterface(child.stdout)) {
    const summary = SUMMARY.exec(line);
    if (summary) failed = Number(summary[2]);
    else console.log(line);
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  return failed ?? 1;
}

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const share = process.argv.find((argument) => argument.startsWith("--share="))?.slice("--share=".length);
const isWanted = ({ name }, i) =>
  share === undefined
    ? wanted.length === 0 || wanted.some((part) => name.includes(part))
    : i % SHARES === Number(share);
const attacks = readAttacks().filter(isWanted);
let failed = 0;
if (wanted.length > 0 || share !== undefined) failed = await run(attacks);
else
  for (const count of await Promise.all(Array.from({ length: SHARES }, (_, i) => runShare(i))))
    failed += count;
console.log(`${attacks.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/**
 * `npm start`: installs and builds what is missing, then runs the two examples, or the UDF that is named.
 *
 *     npm start
 *     npm start -- examples/node/quakes.py min_magnitude=4
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(root, "node_modules", "node", "bin", "node");
const cli = join(root, "dist", "cli.js");

/** Runs a command whose output is of interest only when it fails. */
function quietly(what, program, args) {
  process.stderr.write(`${what} …\n`);
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ""}${stderr ?? ""}\nerror: ${what} failed\n`);
  process.exit(1);
}

/** What Python and its tools write beside the sources that they read. */
const isCache = (name) => name.startsWith(".") || name === "__pycache__";

/** The time of the newest file below a folder. */
function newest(path) {
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  const names = readdirSync(path).filter((name) => !isCache(name));
  return Math.max(0, ...names.map((name) => newest(join(path, name))));
}

const lock = join(root, "node_modules", ".package-lock.json");
if (!existsSync(node) || !existsSync(lock) || newest(join(root, "package-lock.json")) > newest(lock)) {
  quietly("Installing", "npm", ["ci", "--no-audit", "--no-fund"]);
}
const sources = ["build.mjs", "package.json", "runtime", "host", "sdk"].map((name) =>
  newest(join(root, name)),
);
if (!existsSync(cli) || Math.max(...sources) > newest(cli)) quietly("Building", node, ["build.mjs"]);

/** Runs a UDF with everything connected to this terminal. @returns the exit status */
const run = (...args) =>
  spawnSync(node, [cli, "run", "--format", "text", ...args], { stdio: "inherit" }).status ?? 1;

const args = process.argv.slice(2);
if (args.length > 0) process.exit(run(...args));
for (const [language, file] of [
  ["Python", "quakes.py"],
  ["TypeScript", "quakes.ts"],
]) {
  console.log(`${language}: examples/node/${file}`);
  const status = run(join(root, "examples", "node", file));
  if (status !== 0) process.exit(status);
  console.log();
}

/**
 * The tables of README.md that are made from code. `npm run docs` writes them anew; test/docs/suite.mjs fails when they are stale.
 *
 * A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { PERMISSION_NAMES } from "../../host/permissions/descriptor.ts";
import { permissionsFromFlags } from "../../host/permissions/flags.ts";
import { LimitExceededError } from "../../runtime/errors.ts";
import { browserPlatform } from "../../runtime/isolate/platform.browser.ts";
import { nodePlatform } from "../../runtime/isolate/platform.node.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { VERBS } from "../../sdk/cli/verbs.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const readme = join(root, "README.md");
const source = (path) => readFileSync(join(root, path), "utf8");
const runOptions = VERBS.find(({ name }) => name === "run").options;

/** A Markdown table. */
function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Doc comments of an interface's members: name to text. A missing comment is an error: the table would have a hole. */
function memberDocs(path, interfaceName) {
  const body = new RegExp(`export interface ${interfaceName} \\{\\n([\\s\\S]*?)\\n\\}`).exec(source(path))[1];
  const docs = [...body.matchAll(/\/\*\* (.*?) \*\/\n\s+(\w+)\??:/g)].map(([, text, name]) => [name, text]);
  return new Map(docs);
}

/** The words of `docs` for a name. @throws Error where there are none */
function wordsFor(docs, name) {
  const words = docs.get(name);
  if (words === undefined) throw new Error(`${name} has no doc comment, so the table cannot explain it`);
  return words.replace(/\.$/, "");
}

function permissions() {
  const inAll = permissionsFromFlags([{ flag: "allow-all", value: undefined }]);
  return table(
    ["Permission", "Flag", "What it allows", "In `--allow-all`"],
    PERMISSION_NAMES.map((name) => {
      const { help, value } = runOptions.find((option) => option.name === `allow-${name}`);
      const flag = `--allow-${name}${value ? `[=${value}]` : ""}`;
      return [`\`${name}\``, `\`${flag}\``, help, inAll[name] ? "yes" : "no"];
    }),
  );
}

/** Runs `work` as if this process had another value there, or none (`undefined`). */
function withProperty(owner, name, value, work) {
  const kept = Object.getOwnPropertyDescriptor(owner, name);
  if (value === undefined) delete owner[name];
  else Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  try {
    return work();
  } finally {
    if (kept) Object.defineProperty(owner, name, kept);
    else delete owner[name];
  }
}

/** What a platform says of itself with and without an ability: where that differs, the ability is named. */
function platforms() {
  const docs = memberDocs("runtime/isolate/platform.ts", "Capabilities");
  const node = (system) =>
    withProperty(process, "platform", system, () => nodePlatform(undefined).capabilities);
  const [linux, other] = [node("linux"), node("darwin")];
  const page = (suspending, shared) =>
    withProperty(WebAssembly, "Suspending", suspending, () =>
      withProperty(
        globalThis,
        "SharedArrayBuffer",
        shared,
        () => browserPlatform({ own: undefined }).capabilities,
      ),
    );
  const all = page(class {}, class {});
  const suspending = page(class {}, undefined);
  const none = page(undefined, undefined);
  const cell = (best, least, ability) => (best === least ? (best ? "yes" : "no") : ability);
  return table(
    ["Capability", "Meaning", "Node", "Page"],
    [...docs.keys()].map((name) => [
      `\`${name}\``,
      wordsFor(docs, name),
      cell(linux[name], other[name], "on Linux"),
      cell(
        all[name],
        none[name],
        suspending[name] ? "with JSPI (Chromium) or shared memory" : "with shared memory",
      ),
    ]),
  );
}

const MiB = 1024 * 1024;

function amount(name, value) {
  if (name.endsWith("Ms")) return `${value / 1000} s`;
  if (name.endsWith("Bytes")) return `${value / MiB} MiB`;
  return String(value);
}

function limits() {
  const docs = memberDocs("runtime/limits.ts", "Limits");
  const flags = { timeMs: "`--time-limit`", memoryBytes: "`--memory-limit`" };
  return table(
    ["Limit", "Default", "What it bounds", "Flag"],
    Object.entries(DEFAULT_LIMITS).map(([name, value]) => [
      `\`${name}\``,
      amount(name, value),
      wordsFor(docs, name),
      flags[name] ?? "",
    ]),
  );
}

/** From the tree of errors at the top of runtime/errors.ts, each line of which must name a class that is there. */
function exitCodes() {
  const code = source("runtime/errors.ts");
  const lines = [...code.matchAll(/^ \* {5}[├└]─ (\w+) +(.+?) +exit (\d+)$/gm)];
  const byCode = new Map([["0", [["", "the run gave a result"]]]]);
  const add = (status, row) => byCode.set(status, [...(byCode.get(status) ?? []), row]);
  for (const [, name, words, status] of lines) {
    if (name === "LimitExceededError") continue;
    const body = new RegExp(`export class ${name}\\b[\\s\\S]*?\\n}`).exec(code)?.[0];
    if (!body?.match(`exitCode(: number)? = ${status};`) && !(status === "70" && body))
      throw new Error(`runtime/errors.ts: its tree and its class ${name} differ`);
    add(status, [`\`${name}\``, words]);
  }
  for (const limit of ["timeMs", "memoryBytes"]) {
    const { exitCode } = new LimitExceededError("", { limit, allowed: 1 });
    const words = limit === "timeMs" ? "the time limit was reached" : "another limit was reached";
    add(String(exitCode), ["`LimitExceededError`", words]);
  }
  const rows = [...byCode].sort(([a], [b]) => Number(a) - Number(b));
  return table(
    ["Exit status", "Meaning", "Error"],
    rows.map(([status, meanings]) => [
      status,
      [...new Set(meanings.map(([, words]) => words.replaceAll(/\s+/g, " ")))].join("; "),
      meanings.map(([name]) => name).join(", "),
    ]),
  );
}

const TABLES = { permissions, platforms, limits, "exit codes": exitCodes };

/** README.md with its tables as the code has them now. @throws Error for a mark without a table, or a table without a mark */
export function withTables(text) {
  const seen = new Set();
  const out = text.replaceAll(
    /(<!-- table: ([\w ]+) -->\n)[\s\S]*?(<!-- end of table -->)/g,
    (_, start, name, end) => {
      if (!TABLES[name]) throw new Error(`README.md asks for the table ${name}, which nobody makes`);
      seen.add(name);
      return `${start}\n${TABLES[name]()}\n\n${end}`;
    },
  );
  const missing = Object.keys(TABLES).filter((name) => !seen.has(name));
  if (missing.length) throw new Error(`README.md has no place for the tables ${missing.join(", ")}`);
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = readFileSync(readme, "utf8");
  const next = withTables(text);
  if (next === text) console.log("README.md is up to date");
  else {
    writeFileSync(readme, next);
    console.log("README.md has new tables");
  }
}

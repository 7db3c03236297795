/**
 * The API report: what the package has of the reference, by name, and what tests say of each known fact.
 *
 *     npm run api-report        writes report.md
 *
 * It is made of reference.json (names), facts.json (behaviour), covered.json (by which test a fact is covered, or why it is otherwise
 * here), differences.json (where a name is meant to differ, and why) and typescript.json. FUSELET_DIST names another build, made with
 * `--types`.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { python } from "../setup/python.mjs";
import { typescriptTable } from "./typescript.mjs";

const folder = import.meta.dirname;
const root = join(folder, "../..");
export const REPORT = join(folder, "report.md");
const GROUPS = ["functions", "classes", "methods", "attributes", "options", "types", "exceptions"];

const readJson = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));

/** What the package has, as surface.py sees it. */
async function surface() {
  const { status, stdout, stderr } = spawnSync(await python(), [join(folder, "surface.py")], {
    encoding: "utf8",
    maxBuffer: 2 ** 24,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  if (status !== 0) throw new Error(`surface.py ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout);
}

/** Test cases in Python: of pytest, and of the differential suite. */
function readCases() {
  const files = ["test/python", "test/differential/programs"].flatMap((below) =>
    readdirSync(join(root, below), { recursive: true })
      .filter((name) => name.endsWith(".py"))
      .map((name) => `${below}/${name}`)
      .sort(),
  );
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const starts = [...text.matchAll(/^(?:(?:async )?def (test_\w+)|#% (.+)$)/gm)];
    return starts.map((start, at) => ({
      file,
      title: (start[1] ?? start[2]).trim(),
      text: text.slice(start.index, starts[at + 1]?.index),
    }));
  });
}

/** The first case that uses a name as its group is used; a module's own name, where it is that. */
function caseOf({ group, name }, cases) {
  const parts = name.split(".");
  const last = parts.at(-1);
  const plain = last.replace(/[^\w]/g, "");
  const owner = parts.at(-2);
  const patterns = {
    functions: owner === "fused" ? `fused\\.${plain}\\b` : `(?:${owner}\\.|"|'|\\b)${plain}\\b`,
    methods: last.startsWith("__") ? null : `\\.${plain}\\b`,
    attributes: `[.'"]${plain}\\b`,
    options: `(?:options\\.|["'])${plain}\\b`,
  };
  const pattern = group in patterns ? patterns[group] : `\\b${plain}\\b`;
  const found = pattern && cases.find(({ text }) => new RegExp(pattern).test(text));
  return found ? `${relative("test", found.file)}: ${found.title}` : null;
}

/** A fact's tests, with what is wrong about the list of them. */
function factRows(cases) {
  const facts = readJson("facts.json");
  const covered = readJson("covered.json");
  const unknown = Object.keys(covered).find((id) => !(id in facts));
  if (unknown) throw new Error(`covered.json: there is no fact ${unknown}`);
  const known = new Set(cases.map(({ file, title }) => `${relative("test", file)}: ${title}`));
  return Object.entries(facts).map(([id, text]) => {
    const { tests = [], differs = null } = covered[id] ?? {};
    return { id, text, tests, differs, wrong: tests.filter((test) => !known.has(test)) };
  });
}

const cell = (text) => String(text).replaceAll("|", "\\|").replaceAll("\n", " ");
const table = (head, rows) =>
  [
    `| ${head.join(" | ")} |`,
    `|${" --- |".repeat(head.length)}`,
    ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`),
  ].join("\n");
const share = (part, whole) => `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;

function isEqual(entry) {
  return entry.present && entry.differences.length === 0;
}

/** Whether a row is as it should be: there and equal, or otherwise for a reason. */
export const isExplained = (entry, reasons) => isEqual(entry) || entry.name in reasons;

/** Everything that the report is made of. */
export async function collect() {
  const cases = readCases();
  const entries = (await surface()).map((entry) => ({ ...entry, case: caseOf(entry, cases) }));
  const names = [...new Set(entries.filter(({ group }) => group === "functions").map(({ name }) => name))];
  const more = Object.keys(readJson("typescript.json")).filter((name) => !names.includes(name));
  return {
    entries,
    reasons: readJson("differences.json"),
    facts: factRows(cases),
    typescript: typescriptTable(process.env.FUSELET_DIST ?? join(root, "dist"), [...names, ...more]),
  };
}

function entryRow(entry, reasons) {
  const said = entry.present ? entry.differences.join("; ") : (entry.problem ?? "missing");
  const reason = reasons[entry.name];
  const status = isEqual(entry) ? "equal" : entry.present ? "differs" : "missing";
  return [
    `\`${entry.name}\``,
    status,
    entry.shown ? `\`${entry.shown}\`` : "",
    [said, reason].filter(Boolean).join(". By decision: "),
    entry.case ?? "",
  ];
}

/** The report as text. */
export function render({ entries, reasons, facts, typescript }) {
  const of = (group) => entries.filter((entry) => entry.group === group);
  const totals = [...GROUPS, "all"].map((group) => {
    const rows = group === "all" ? entries : of(group);
    const count = (test) => share(rows.filter(test).length, rows.length);
    return [
      group,
      count(({ present }) => present),
      count(isEqual),
      count((entry) => isExplained(entry, reasons)),
      count((entry) => entry.case !== null),
    ];
  });
  const tested = facts.filter(({ tests }) => tests.length).length;
  const answered = facts.filter(({ tests, differs }) => tests.length || differs).length;
  const inTypescript = typescript.filter(({ found }) => found.length).length;
  return `${[
    "# API report",
    "Made by `npm run api-report`. What the Python package has of the reference, name by name; the facts known of its behaviour, with the test that names each; and the same reference in TypeScript.",
    table(
      [
        "Group",
        "present",
        "signature or default equal",
        "equal, or otherwise for a reason",
        "named in a case",
      ],
      totals,
    ),
    `Facts: ${share(tested, facts.length)} have a test, ${share(answered, facts.length)} a test or a reason. TypeScript: ${share(inTypescript, typescript.length)} are there.`,
    ...GROUPS.map((group) => {
      const rows = of(group).map((entry) => entryRow(entry, reasons));
      return `## ${group[0].toUpperCase()}${group.slice(1)}\n\n${table(["Name", "Status", "Ours", "Difference", "Case"], rows)}`;
    }),
    `## Facts\n\n${table(
      ["Fact", "What is known", "Tests", "Otherwise here"],
      facts.map(({ id, text, tests, differs }) => [
        id,
        text,
        tests.join("; "),
        differs ?? (tests.length ? "" : "no test"),
      ]),
    )}`,
    `## TypeScript\n\n${table(
      ["Name", "Module", "Export", "Signature"],
      typescript.flatMap(({ name, found, missing }) => [
        ...found.map(({ module, path, signature }) => [`\`${name}\``, module, path, `\`${signature}\``]),
        ...(found.length ? [] : [[`\`${name}\``, "", "missing", missing.join(", ")]]),
      ]),
    )}`,
  ].join("\n\n")}\n`;
}

if (import.meta.main) {
  const found = await collect();
  writeFileSync(REPORT, render(found));
  console.log(render(found).split("\n\n").slice(2, 4).join("\n\n"));
}

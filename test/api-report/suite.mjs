/**
 * Holds the package to its report: what report.md says is there must be there, with the signature that it says, each test that is said
 * to cover a fact must exist, and the report must be that of this tree (`npm run api-report` writes it).
 *
 *     node test/api-report/suite.mjs
 */
import { readFileSync } from "node:fs";
import { collect, isExplained, REPORT, render } from "./report.mjs";

const found = await collect();
const committed = readFileSync(REPORT, "utf8");
let [passed, failed] = [0, 0];

function check(isRight, complaint) {
  if (isRight) {
    passed++;
    return;
  }
  failed++;
  console.log(`FAILED ${complaint}`);
}

/** Rows of the committed report, by name: what it says of the name, and its signature. */
const rows = new Map(
  [...committed.matchAll(/^\| `([^`]+)` \| (equal|differs|missing) \| (?:`(.*?)`)? ?\|/gm)].map(
    ([, name, status, shown]) => [name, { status, shown: shown ?? "" }],
  ),
);
for (const entry of found.entries) {
  const before = rows.get(entry.name);
  const shown = (entry.shown ?? "").replaceAll("|", "\\|");
  if (!before) check(false, `${entry.name} is not in report.md`);
  else if (before.status === "missing") check(true);
  else if (!entry.present) check(false, `${entry.name} is missing, and report.md says that it is there`);
  else if (before.shown !== shown) check(false, `${entry.name} was ${before.shown}, and is ${shown}`);
  else
    check(
      before.status === "differs" || isExplained(entry, found.reasons),
      `${entry.name}: ${entry.differences}`,
    );
}
for (const { id, wrong } of found.facts)
  check(wrong.length === 0, `covered.json: ${id} names tests that do not exist: ${wrong.join(", ")}`);
check(render(found) === committed, "report.md is stale: run npm run api-report");
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

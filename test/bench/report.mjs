/** The results as a file for programs and as the table in README.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BEGIN = "<!-- results: written by npm run bench -->";
const END = "<!-- end of results -->";

const number = (value) => {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
};

function row({ title, oursMs, peer, peerMs, unit, value, target, met, stretch }) {
  const verdict = met === null ? "" : met ? "yes" : "**no**";
  const more = stretch ? `; stretch ${stretch.target}: ${stretch.met ? "yes" : "no"}` : "";
  const cells = [
    title,
    `${number(oursMs)} ms`,
    peer === null ? "" : `${peer}: ${number(peerMs)} ms`,
    `${number(value.median)} ${unit} (${number(value.min)} to ${number(value.max)})`,
    target,
    `${verdict}${more}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The table and the facts beside it, as Markdown. */
export function markdown({ machine, figures }) {
  const facts = `${machine.date}, ${machine.system}, ${machine.processor}, ${machine.memory}; Node ${machine.node}, Pyodide ${machine.pyodide}, Deno ${machine.deno}.`;
  const notes = figures.flatMap(({ title, note }) => (note ? [`- ${title}: ${note}`] : []));
  return [
    facts,
    "",
    "| What | Ours | Peer | Compared: median (min to max) | Target | Met |",
    "| --- | --- | --- | --- | --- | --- |",
    ...figures.map(row),
    "",
    ...notes,
  ].join("\n");
}

/**
 * Writes both. Figures that were not measured this time stay as they were.
 * @param {string} folder
 * @param {{ machine: object, figures: { id: string }[] }} results
 * @param {boolean} isWhole whether all benchmarks were run
 */
export function writeReport(folder, results, isWhole) {
  const file = join(folder, "results.json");
  const figures = isWhole ? results.figures : merge(readFigures(file), results.figures);
  const report = { machine: results.machine, figures };
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  const readme = join(folder, "README.md");
  const text = readFileSync(readme, "utf8");
  const before = text.slice(0, text.indexOf(BEGIN) + BEGIN.length);
  const after = text.slice(text.indexOf(END));
  writeFileSync(readme, `${before}\n\n${markdown(report)}\n\n${after}`);
}

function readFigures(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).figures;
  } catch {
    return [];
  }
}

function merge(old, fresh) {
  const byId = new Map(old.map((figure) => [figure.id, figure]));
  for (const figure of fresh) byId.set(figure.id, figure);
  return [...byId.values()];
}

/**
 * The programs of `programs/*.py`. A file holds several, each under a line with its title, and lines that say more:
 *
 *     #% an int of VALUE
 *     #: 3 ; "3" ; None            one program for each of these: it stands where the title and the program have VALUE
 *     #! needs geo                 pandas, or geo: libraries that it uses
 *     #! differs: REASON           ours is meant to answer otherwise, and
 *     #! ours: EXPRESSION          this is true for it: of value, error, stdout, stderr
 *
 * A program leaves what is compared in `answer`; `attempt(call, …)` is what a call gives, or its error.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "programs");
const NEEDS = ["", "pandas", "geo"];

/**
 * @typedef {{ title: string, file: string, code: string, needs: string, differs?: string, ours?: string }} Program
 * @returns {Program[]} by file, then as they are written
 */
export function readPrograms() {
  const programs = readdirSync(folder)
    .filter((name) => name.endsWith(".py"))
    .sort()
    .flatMap((file) =>
      readFileSync(join(folder, file), "utf8")
        .split(/^#% /m)
        .slice(1)
        .flatMap((section) => expand(parse(section, file))),
    );
  const titles = programs.map(({ title }) => title);
  const twice = titles.find((title, at) => titles.indexOf(title) !== at);
  if (twice) throw new Error(`Two programs are called "${twice}"`);
  return programs;
}

function parse(section, file) {
  const [title, ...lines] = section.split("\n");
  const program = { title: title.trim(), file, needs: "", code: "", values: null };
  for (const line of lines) {
    const directive = /^#(: |! (needs|differs:|ours:) )(.*)$/.exec(line);
    if (!directive) program.code += `${line}\n`;
    else if (directive[1] === ": ") program.values = directive[3].split(" ; ");
    else program[directive[2].replace(":", "")] = directive[3].trim();
  }
  program.code = `${program.code.trim()}\n`;
  if (!NEEDS.includes(program.needs)) throw new Error(`${file}: "${title}" needs ${program.needs}`);
  if (Boolean(program.differs) !== Boolean(program.ours))
    throw new Error(`${file}: "${title}" says only one of differs and ours`);
  return program;
}

function expand({ values, ...program }) {
  if (!values) return [program];
  return values.map((value) => ({
    ...program,
    title: program.title.includes("VALUE")
      ? program.title.replaceAll("VALUE", value.trim())
      : `${program.title}: ${value.trim()}`,
    code: program.code.replaceAll("VALUE", value.trim()),
  }));
}

const RUN = /^answer = fused\.run\(udf(.*), engine="local"\)\n$/m;

/**
 * The same program with its UDF run by the host, by its name, in an isolate of its own: where it is a UDF and one run of it.
 * @param {Program} program
 * @param {string} name
 * @returns {{ udf: string, program: Program } | null}
 */
export function throughHost(program, name) {
  const run = RUN.exec(program.code);
  if (!run || !/^(?:import \w+\n\n\n)?@fused\.udf\n/.test(program.code)) return null;
  return {
    udf: `import fused\n${program.code.slice(0, run.index)}`,
    program: { ...program, code: `answer = fused.run("${name}"${run[1]})\n` },
  };
}

/** The help texts, made from the table of verbs. */
import { type OptionSpec, VERBS, type VerbSpec } from "./verbs.ts";

/** The help of a verb, or of the program. Ends with a line break. */
export function helpText(verb: VerbSpec | null): string {
  return verb ? verbHelp(verb) : programHelp();
}

function programHelp(): string {
  const lines = [
    "Run UDFs (Python, TypeScript) in a sandbox.",
    "",
    "Usage: fuselet VERB [options] …",
    "",
    "Verbs:",
  ];
  for (const { name, summary } of VERBS) lines.push(`  ${name.padEnd(13)}${summary}`);
  lines.push("", "fuselet VERB --help shows a verb's options; fuselet --version shows the version.");
  return `${lines.join("\n")}\n`;
}

function verbHelp(verb: VerbSpec): string {
  const lines = [`${verb.summary}.`, "", `Usage: ${verb.usage}`, "", verb.description];
  const groups = Map.groupBy(verb.options, (option) => option.group ?? "Options");
  for (const [group, options] of groups) {
    const labels = options.map(labelOf);
    const width = Math.min(30, Math.max(...labels.map((label) => label.length)));
    lines.push("", `${group}:`);
    options.forEach((option, index) => {
      const label = labels[index] as string;
      if (label.length > width) lines.push(`  ${label}`, `  ${" ".repeat(width)}  ${option.help}`);
      else lines.push(`  ${label.padEnd(width)}  ${option.help}`);
    });
  }
  lines.push("", "Examples:", ...verb.examples.map((example) => `  ${example}`));
  return `${lines.join("\n")}\n`;
}

function labelOf({ name, short, value, optional }: OptionSpec): string {
  const long = `--${name}${value === undefined ? "" : optional ? `[=${value}]` : ` ${value}`}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

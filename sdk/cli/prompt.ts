/** Questions about permissions, drawn on standard error and answered by a line from the terminal. */
import { setTimeout } from "node:timers/promises";
import type { ReadStream } from "node:tty";
import { formatFlag } from "../../host/permissions/flags.ts";
import type { Granted } from "../../host/permissions/grants.ts";
import type { Choice, Prompter, Question } from "../../host/permissions/prompt.ts";
import { plainText, showText } from "../../runtime/show.ts";
import type { Screen } from "./screen.ts";
import { FRAME, forTerminal, type Stream, type Terminal, write } from "./terminal.ts";

/** The terminal must have been quiet for so long before a question takes an answer: what was typed before is none. */
const QUIET_MS = 200;
/** After so many lines that are no answer, it is no. */
const MOST_TRIES = 3;
/** A flag that is longer helps nobody, and must not be cut. */
const LONGEST_FLAG = 120;
const NARROWEST = 40;

const TITLE = " fuselet asks for permission ";

/** What a line means. */
const CHOICES: Record<Question["kind"], Readonly<Record<string, Choice>>> = {
  request: { y: "once", r: "run", a: "always", n: "deny", N: "deny", "": "deny" },
  declaration: { y: "run", a: "always", n: "deny", N: "deny", "": "deny" },
};

const MEANINGS: Record<Question["kind"], string> = {
  request: "y  this once   r  until the run ends   a  always   n  no",
  declaration: "y  until the run ends   a  always   n  ask when it is used",
};

const KEYS: Record<Question["kind"], string> = { request: "[y/r/a/N]", declaration: "[y/a/N]" };

/**
 * Makes a prompter.
 * @param stdin the terminal; nothing else may read from it
 * @param file the UDF as the command line names it
 */
export function terminalPrompter(
  stdin: ReadStream,
  { stderr, env }: Terminal,
  screen: Screen,
  file: string,
): Prompter {
  // A terminal that is gone is as good as closed.
  stdin.on("error", () => undefined);
  return (question, signal) =>
    screen.ask(async () => {
      // Whoever sat there has ended the run, or closed the input (Ctrl-D).
      if (signal?.aborted || isClosed(stdin)) return "deny";
      const title = env.TERM === "dumb" ? TITLE : `\r\u001b[2K\u001b[7m${TITLE}\u001b[0m`;
      await write(stderr, `${[title, ...questionLines(question, file, stderr)].join("\n")}\n`);
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        await discardInput(stdin, signal);
        const wording = tries === 0 ? "Allow?" : "Answer with one of these letters:";
        await write(stderr, `${FRAME.end} ${wording} ${KEYS[question.kind]} `);
        const line = await readLine(stdin, signal);
        if (line === null) break;
        const choices = CHOICES[question.kind];
        if (Object.hasOwn(choices, line)) return choices[line] as Choice;
      }
      await write(stderr, "\n");
      return "deny";
    });
}

/** A question's lines between its title and its last. Each begins with the frame and fits into the terminal. */
export function questionLines({ udf, kind, items }: Question, file: string, stderr: Stream): string[] {
  const show = (text: string) => forTerminal(showText(text), stderr);
  const rows: [label: string, text: string][] = [["Who", `${show(udf.name)}, run from ${plainText(file)}`]];
  for (const { granted } of items) rows.push([rows.length === 1 ? "What" : "", describe(granted, show)]);
  for (const [reason, names] of reasonsOf(items)) rows.push(["Why", `${names}${show(reason)}`]);
  const width = Math.max(stderr.columns ?? 80, NARROWEST) - 1;
  const lines = rows.flatMap(([label, text]) =>
    wrap(text, width - 9).map((part, index) => `${(index === 0 ? label : "").padEnd(7)}${part}`),
  );
  const flag = kind === "request" ? flagOf(items[0]?.granted) : "";
  if (flag !== "" && flag.length <= LONGEST_FLAG) lines.push(...wrap(`Flag   ${flag}`, width - 2));
  lines.push("", ...wrap(MEANINGS[kind], width - 2));
  return lines.map((line) => `${FRAME.side} ${line}`.trimEnd());
}

const flagOf = (granted: Granted | undefined) =>
  granted ? formatFlag("allow", granted.permission, granted.value || undefined) : "";

function describe({ permission, value, rule, hosts }: Granted, show: (text: string) => string): string {
  const target = rule ?? value ?? "";
  const what = `${permission} access${target === "" ? "" : ` to ${show(target)}`}`;
  if (permission !== "secrets") return what;
  return `${what}, sent to ${hosts ? hosts.map(show).join(", ") : "every host that net grants"}`;
}

/** Each reason that the UDF gives, and whose words it is. */
function reasonsOf(items: Question["items"]): [reason: string, says: string][] {
  const groups = Map.groupBy(items, ({ reason }) => reason);
  return [...groups].flatMap(([reason, group]): [string, string][] => {
    if (reason === null) return [];
    const names = [...new Set(group.map(({ granted }) => granted.permission))];
    return [[reason, `the UDF says${group.length === items.length ? "" : ` of ${names.join(", ")}`}: `]];
  });
}

/** Columns that a character takes at most: beyond Europe's scripts many take two. */
const widthOf = (character: string) => ((character.codePointAt(0) as number) < 0x1100 ? 1 : 2);

/** A text as lines of at most `width` columns, cut at spaces where it has some. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let [line, used, space] = ["", 0, -1];
  for (const character of text) {
    if (used + widthOf(character) > width) {
      const end = space > 0 ? space : line.length;
      lines.push(line.slice(0, end));
      line = line.slice(end).trimStart();
      used = Array.from(line).reduce((sum, each) => sum + widthOf(each), 0);
      space = -1;
    }
    if (character === " ") space = line.length;
    line += character;
    used += widthOf(character);
  }
  return [...lines, line];
}

const isClosed = (stdin: ReadStream) => stdin.readableEnded || stdin.destroyed;

/** Reads and forgets what has been typed, until the terminal is quiet. */
async function discardInput(stdin: ReadStream, signal: AbortSignal | undefined): Promise<void> {
  let heard = true;
  const forget = (bytes: Buffer) => {
    heard = true;
    // In raw mode Ctrl-C is a byte like any other.
    if (bytes.includes(3)) process.kill(process.pid, "SIGINT");
  };
  // Half a line is only there to read in raw mode.
  stdin.setRawMode(true);
  stdin.on("data", forget).resume();
  try {
    while (heard && !signal?.aborted) {
      heard = false;
      await setTimeout(QUIET_MS);
    }
  } finally {
    stdin.off("data", forget).pause();
    stdin.setRawMode(false);
  }
}

/** One line, without spaces around it; null where there is none to come. */
function readLine(stdin: ReadStream, signal: AbortSignal | undefined): Promise<string | null> {
  return new Promise((resolve) => {
    let line = "";
    const finish = (answer: string | null) => {
      stdin.off("data", onData).off("end", onEnd).off("error", onEnd).pause();
      signal?.removeEventListener("abort", onEnd);
      resolve(answer);
    };
    const onEnd = () => finish(null);
    const onData = (bytes: Buffer) => {
      line += bytes.toString();
      const end = line.indexOf("\n");
      if (end >= 0) finish(line.slice(0, end).trim());
    };
    if (signal?.aborted || isClosed(stdin)) return resolve(null);
    signal?.addEventListener("abort", onEnd);
    stdin.on("data", onData).on("end", onEnd).on("error", onEnd).resume();
  });
}

/**
 * Attacks on whoever is asked, on a real terminal (test/cli/terminal.py), and on what is written down of it. attack.json has
 *
 *     flags          of the command line. `{name}` is filled in
 *     terminal       what somebody does there: steps of terminal.py; without it there is no terminal
 *     expect         { exits, shows, hides }: the exit status, and patterns that must, and must not, come on the screen
 *     auditLog       true: decisions are logged, and no line of the log may allow anything
 *     control        { reaches }: `shown`, if the same program by itself shows what is hidden here; `allowed`, if a careless program
 *                    takes the same typing for a yes; `logged`, if a careless log of it has a line that allows something; `granted`,
 *                    if with other `flags` it gets what it wants
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Canaries } from "./canaries.mjs";
import { checkControl } from "./context.mjs";
import { fill } from "./granted.mjs";
import { dist, fuselet, nodePath, root, run } from "./processes.mjs";
import { FILES, told } from "./udf.mjs";

/** Without a terminal, or on one. @returns {Promise<{ code: number, screen: string }>} */
async function runProgram(argv, terminal, { env, cwd }) {
  if (!terminal) {
    const { code, stdout, stderr } = await run(argv[0], argv.slice(1), { env, cwd });
    return { code, screen: stdout + stderr };
  }
  const job = { argv, env, steps: terminal };
  const { stdout, stderr } = await run(
    "python3",
    [join(root, "test", "cli", "terminal.py"), JSON.stringify(job)],
    { cwd },
  );
  const { status, screen, problem } = JSON.parse(stdout || "{}");
  if (problem || status === undefined)
    throw new Error(`The terminal failed: ${problem ?? stderr}: ${screen}`);
  return { code: status, screen };
}

const allows = (text) =>
  text.split("\n").some((line) => {
    try {
      return JSON.parse(line).allowed === true;
    } catch {
      return false;
    }
  });

export async function attempt(attack, context) {
  const world = await context.world();
  const { canaries } = context;
  const problems = [];
  for (const [language, name] of Object.entries(FILES)) {
    const file = join(attack.folder, name);
    if (!existsSync(file)) continue;
    world.reset(attack);
    const folder = mkdtempSync(join(tmpdir(), "fuselet-attack-prompt-"));
    try {
      const target = { ...world.target, ...canaries.target };
      const log = join(folder, "audit.jsonl");
      const words = Object.entries(told(target, readFileSync(file, "utf8"))).map(
        ([key, value]) => `${key}=${value}`,
      );
      const flags = [...fill(attack.flags ?? [], target), ...(attack.auditLog ? ["--audit-log", log] : [])];
      const env = { ...world.env, FUSELET_DATA: join(folder, "data") };
      const command = [nodePath(26), join(dist, "cli.js"), "run", ...flags, file, ...words];
      const { code, screen } = await runProgram(command, attack.terminal, { env, cwd: folder });
      problems.push(...judge(attack.expect, code, screen), ...canaries.check(screen));
      if (attack.auditLog && !existsSync(log)) problems.push("nothing was logged");
      if (attack.auditLog && allows(readFileSync(log, "utf8"))) problems.push("the log allows something");
      problems.push(
        ...checkControl(attack.control, {
          value: await careless(attack, { language, file, folder, target }),
        }),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return problems;
}

function judge({ exits, shows = [], hides = [] }, code, screen) {
  const problems = exits.includes(code)
    ? []
    : [`it ended with ${code}, not ${exits.join(" or ")}: ${screen}`];
  for (const pattern of shows)
    if (!new RegExp(pattern, "u").test(screen)) problems.push(`${pattern} is not shown: ${screen}`);
  for (const pattern of hides)
    if (new RegExp(pattern, "u").test(screen)) problems.push(`${pattern} is shown: ${screen}`);
  return problems;
}

/** What the same does to programs that are not careful. */
async function careless({ terminal, expect, control }, { language, file, folder, target }) {
  const reached = [];
  const [program, runner] =
    language === "python" ? ["python3", "control-cpython.py"] : [nodePath(26), "control-node.mjs"];
  const argv = [
    program,
    join(import.meta.dirname, runner),
    file,
    JSON.stringify({ ...target, pid: 0, port: 1 }),
  ];
  if (control.reaches.includes("shown") || control.reaches.includes("logged")) {
    const { screen } = await runProgram(argv, terminal && [{ sleep: 0.1 }], { cwd: folder });
    if ((expect.hides ?? []).every((pattern) => new RegExp(pattern, "u").test(screen))) reached.push("shown");
    if (allows(screen)) reached.push("logged");
  }
  if (control.flags) {
    const own = await Canaries.open();
    const flags = fill(control.flags, { attack: dirname(file) });
    const { stdout } = await fuselet(file, { port: own.target.port }, { flags });
    if (stdout.includes("canary")) reached.push("granted");
    await own.close();
  }
  if (control.reaches.includes("allowed")) {
    const asks = ["python3", join(import.meta.dirname, "careless-prompt.py")];
    const { screen } = await runProgram(asks, terminal, { cwd: folder });
    if (/it is allowed/.test(screen)) reached.push("allowed");
  }
  return reached;
}

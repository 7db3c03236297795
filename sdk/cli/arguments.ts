/** Reads the command line by the table of verbs. Nothing heavy is imported: this is on the way of every start. */
import { UsageError } from "../../runtime/errors.ts";
import { KEPT_KINDS, type KeptKind, LATER_VERBS, type OptionSpec, VERBS, type VerbSpec } from "./verbs.ts";

/** A command line that was understood. */
export type Command =
  | { kind: "version" }
  | { kind: "help"; verb: VerbSpec | null }
  | { kind: "run" | "inspect" | "lock"; options: Options; udf: string; parameters: Record<string, string> }
  | { kind: "serve" | "doctor" | "login" | "logout"; options: Options }
  | { kind: "job"; options: Options; action: JobAction; target: string; parameters: Record<string, string> }
  | { kind: "user"; options: Options; action: UserAction; target: string }
  | { kind: "backup" | "restore"; options: Options; file: string }
  | { kind: "cache"; options: Options; action: CacheAction; kinds: readonly KeptKind[] }
  | { kind: "permissions"; options: Options; action: PermissionsAction; ids: readonly string[] }
  | { kind: "secrets"; options: Options; action: SecretsAction; name: string };

const JOB_ACTIONS = ["run", "list", "status", "logs", "cancel", "results"] as const;
/** What `fuselet job` does. */
export type JobAction = (typeof JOB_ACTIONS)[number];

/** Those options of `job` that only some of its actions have. */
const JOB_OPTIONS: Readonly<Record<string, readonly JobAction[]>> = {
  "instance-type": ["run"],
  wait: ["run"],
  limit: ["list"],
  follow: ["logs"],
  format: ["run", "results"],
  output: ["run", "results"],
  index: ["run", "results"],
};

const USER_ACTIONS = ["list", "add", "set", "enable", "disable", "token", "delete"] as const;
/** What `fuselet user` does. */
export type UserAction = (typeof USER_ACTIONS)[number];

/** Those options of `user` that all of its actions have; the others say what a user is to be. */
const USER_OPTIONS: ReadonlySet<string> = new Set(["url", "json", "json-errors", "help"]);

const CACHE_ACTIONS = ["list", "clear"] as const;
export type CacheAction = (typeof CACHE_ACTIONS)[number];

const PERMISSIONS_ACTIONS = ["list", "remove", "schema"] as const;
export type PermissionsAction = (typeof PERMISSIONS_ACTIONS)[number];

const SECRETS_ACTIONS = ["list", "set", "delete"] as const;
export type SecretsAction = (typeof SECRETS_ACTIONS)[number];

/** The options that were given, by name; a switch is "". An option given several times has all its values. */
export class Options {
  /** In the order of the command line. */
  readonly given: readonly { name: string; value: string | undefined }[];
  constructor(given: readonly { name: string; value: string | undefined }[]) {
    this.given = given;
  }
  has(name: string): boolean {
    return this.given.some((option) => option.name === name);
  }
  get(name: string): string | undefined {
    return this.given.find((option) => option.name === name)?.value;
  }
  /** All values of an option that may be given several times. */
  all(name: string): string[] {
    return this.given.filter((option) => option.name === name).map(({ value = "" }) => value);
  }
}

/**
 * Reads the arguments after the program's name.
 * @throws UsageError that names the argument and what to write instead.
 */
export function parseArguments(argv: readonly string[]): Command {
  const [first, ...rest] = argv;
  if (first === undefined) throw new UsageError("Name a verb: fuselet run UDF; fuselet --help lists all");
  if (first === "--version" || first === "-V") return { kind: "version" };
  if (first === "--help" || first === "-h") return { kind: "help", verb: null };
  if (first === "help") return { kind: "help", verb: rest[0] === undefined ? null : findVerb(rest[0]) };
  const verb = findVerb(first);
  const { options, positionals } = parseOptions(verb, rest);
  if (options.has("help")) return { kind: "help", verb };
  if (verb.name === "serve" || verb.name === "doctor" || verb.name === "login" || verb.name === "logout") {
    if (positionals.length) throw unexpected(positionals[0], verb.usage);
    return { kind: verb.name, options };
  }
  if (verb.name === "backup" || verb.name === "restore") {
    const [file, ...others] = positionals;
    if (file === undefined) throw new UsageError(`Name the archive: ${verb.usage}`);
    if (others.length) throw unexpected(others[0], verb.usage);
    return { kind: verb.name, options, file };
  }
  if (verb.name === "cache") return { kind: "cache", options, ...readCacheAction(verb, positionals) };
  if (verb.name === "permissions")
    return { kind: "permissions", options, ...readPermissionsAction(verb, options, positionals) };
  if (verb.name === "secrets")
    return { kind: "secrets", options, ...readSecretsAction(verb, options, positionals) };
  if (verb.name === "job") return { kind: "job", options, ...readJobAction(verb, options, positionals) };
  if (verb.name === "user") return { kind: "user", options, ...readUserAction(verb, options, positionals) };
  const [udf, ...others] = positionals;
  if (udf === undefined) throw new UsageError(`Name a UDF: ${verb.usage}`);
  const parameters = parseParameters(others);
  if (verb.name !== "run" && others.length) {
    throw unexpected(others[0], verb.usage);
  }
  return { kind: verb.name as "run" | "inspect" | "lock", options, udf, parameters };
}

function readJobAction(
  { usage }: VerbSpec,
  options: Options,
  [first = "list", target, ...others]: readonly string[],
): { action: JobAction; target: string; parameters: Record<string, string> } {
  const action = actionIn(JOB_ACTIONS, first, usage);
  const wrong = options.given.find(({ name }) => JOB_OPTIONS[name]?.includes(action) === false);
  if (wrong) throw new UsageError(`Cannot use --${wrong.name} with ${action}: ${usage}`);
  if (action === "list") {
    if (target === undefined) return { action, target: "", parameters: {} };
    throw unexpected(target, usage);
  }
  if (target === undefined) throw new UsageError(`Name a ${action === "run" ? "UDF" : "job"}: ${usage}`);
  if (action === "run") return { action, target, parameters: parseParameters(others) };
  if (others.length) throw unexpected(others[0], usage);
  return { action, target, parameters: {} };
}

function readUserAction(
  { usage }: VerbSpec,
  options: Options,
  [first = "list", target, ...others]: readonly string[],
): { action: UserAction; target: string } {
  const action = actionIn(USER_ACTIONS, first, usage);
  const wrong = options.given.find(
    ({ name }) =>
      !USER_OPTIONS.has(name) &&
      !(action === "add" && name !== "no-bounds") &&
      !(action === "set" && name !== "handle"),
  );
  if (wrong) throw new UsageError(`Cannot use --${wrong.name} with ${action}: ${usage}`);
  const [extra] = action === "list" ? [target] : others;
  if (extra !== undefined) throw unexpected(extra, usage);
  if (action !== "list" && target === undefined)
    throw new UsageError(`Name ${action === "add" ? "the email of the user" : "a user"}: ${usage}`);
  return { action, target: target ?? "" };
}

/** Without kinds: all. */
function readCacheAction(
  { usage }: VerbSpec,
  [name = "list", ...given]: readonly string[],
): { action: CacheAction; kinds: readonly KeptKind[] } {
  const action = actionIn(CACHE_ACTIONS, name, usage);
  const kinds = given.map((text) => {
    const kind = KEPT_KINDS.find((known) => known === text);
    if (kind) return kind;
    const near = nearest(text, KEPT_KINDS);
    const hint = near ? `did you mean ${near}?` : `kinds are ${KEPT_KINDS.join(", ")}`;
    throw new UsageError(`Cannot ${action} ${JSON.stringify(text)}: ${hint}`);
  });
  return { action, kinds: kinds.length ? [...new Set(kinds)] : KEPT_KINDS };
}

function readPermissionsAction(
  { usage }: VerbSpec,
  options: Options,
  [name = "list", ...ids]: readonly string[],
): { action: PermissionsAction; ids: readonly string[] } {
  const action = actionIn(PERMISSIONS_ACTIONS, name, usage);
  if (action === "remove" ? options.has("json") : options.has("all")) {
    throw new UsageError(`Cannot use --${action === "remove" ? "json" : "all"} with ${action}: ${usage}`);
  }
  if (action !== "remove" && ids.length) {
    throw unexpected(ids[0], usage);
  }
  if (action === "remove" && ids.length > 0 === options.has("all")) {
    throw new UsageError("Name what to remove: fuselet permissions remove ID …, or --all");
  }
  return { action, ids };
}

/** The value of a secret is no argument: other processes see those, and shells remember them. */
function readSecretsAction(
  { usage }: VerbSpec,
  options: Options,
  [first = "list", name, ...others]: readonly string[],
): { action: SecretsAction; name: string } {
  const action = actionIn(SECRETS_ACTIONS, first, usage);
  if (action !== "list" && options.has("json"))
    throw new UsageError(`Cannot use --json with ${action}: ${usage}`);
  if (action !== "list" && name === undefined) throw new UsageError(`Name a secret: ${usage}`);
  if (action === "set" && others.length > 0)
    throw new UsageError(
      `Unexpected argument after the name: the value is read from standard input: ${usage}`,
    );
  const [extra] = action === "list" ? [name] : others;
  if (extra !== undefined) throw unexpected(extra, usage);
  return { action, name: name ?? "" };
}

const unexpected = (argument: string | undefined, usage: string) =>
  new UsageError(`Unexpected argument ${JSON.stringify(argument)}: ${usage}`);

/** The action that a verb's first argument names. @throws UsageError */
function actionIn<Action extends string>(actions: readonly Action[], name: string, usage: string): Action {
  const action = actions.find((known) => known === name);
  if (action) return action;
  const near = nearest(name, actions);
  throw new UsageError(
    `Unexpected argument ${JSON.stringify(name)}: ${near ? `did you mean ${near}?` : usage}`,
  );
}

function findVerb(name: string): VerbSpec {
  const verb = VERBS.find((candidate) => candidate.name === name);
  if (verb) return verb;
  if (LATER_VERBS.includes(name)) throw new UsageError(`fuselet ${name} is not part of this version`);
  if (name.startsWith("-")) throw new UsageError(`Name a verb before the options: fuselet run ${name} …`);
  const near = nearest(
    name,
    VERBS.map((candidate) => candidate.name),
  );
  const hint = near ? `did you mean ${near}?` : `to run a UDF, write: fuselet run ${quote(name)}`;
  throw new UsageError(`Unknown verb ${JSON.stringify(name)}: ${hint}`);
}

function parseOptions(verb: VerbSpec, argv: readonly string[]): { options: Options; positionals: string[] } {
  const given: { name: string; value: string | undefined }[] = [];
  const positionals: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] as string;
    if (argument === "--") {
      positionals.push(...argv.slice(index + 1));
      break;
    }
    if (!argument.startsWith("-") || argument === "-") {
      positionals.push(argument);
      continue;
    }
    const { option, attached } = findOption(verb, argument);
    let value = attached;
    if (option.value === undefined || option.optional) {
      if (option.value === undefined && attached !== undefined) {
        throw new UsageError(`Cannot use ${argument}: --${option.name} takes no value`);
      }
    } else {
      value ??= argv[++index];
      // Empty is what the shell makes of a variable that is not set.
      if (!value) throw new UsageError(`--${option.name} needs a value: --${option.name} ${option.value}`);
    }
    if (!option.repeatable && given.some((other) => other.name === option.name)) {
      throw new UsageError(`--${option.name} is given twice`);
    }
    checkChoice(option, value);
    given.push({ name: option.name, value });
  }
  return { options: new Options(given), positionals };
}

function findOption(verb: VerbSpec, argument: string): { option: OptionSpec; attached: string | undefined } {
  const [, dashes, name = "", attached] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
  const option = verb.options.find(
    (candidate) => (dashes === "--" ? candidate.name : candidate.short) === name,
  );
  if (option) return { option, attached };
  const shown = `${dashes}${name}`;
  const near = nearest(
    name,
    verb.options.map((candidate) => candidate.name),
  );
  throw new UsageError(
    `Unknown option ${shown}: ${near ? `did you mean --${near}?` : `fuselet ${verb.name} --help lists all`}`,
  );
}

function checkChoice(option: OptionSpec, value: string | undefined): void {
  if (!option.choices || value === undefined || option.choices.includes(value)) return;
  const near = nearest(value, option.choices);
  const hint = near ? `did you mean ${near}?` : `it is one of ${option.choices.join(", ")}`;
  throw new UsageError(`Cannot use --${option.name} ${JSON.stringify(value)}: ${hint}`);
}

function parseParameters(texts: readonly string[]): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null);
  for (const text of texts) {
    const [, name, value] = /^([\p{ID_Start}_$][\p{ID_Continue}$]*)=(.*)$/su.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError(`Unexpected argument ${JSON.stringify(text)}: parameters are written name=value`);
    }
    if (Object.hasOwn(parameters, name)) throw new UsageError(`The parameter ${name} is given twice`);
    parameters[name] = value;
  }
  return parameters;
}

/** The candidate that differs least, if that is little enough to be a slip. */
function nearest(text: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(text, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(1, Math.floor(text.length / 3)) ? best.candidate : undefined;
}

/** Levenshtein's distance, with the swap of two neighbours as one step. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1] as number[];
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

const quote = (text: string) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/**
 * Requirements of Python packages: `requests[socks]>=2.31,<3; python_version >= "3.9"`.
 * Source: packaging.python.org/en/latest/specifications/dependency-specifiers/ (PEP 508), with versions as in PEP 440.
 */
import { satisfies, valid, validRange } from "@renovatebot/pep440";

export interface Requirement {
  /** As PEP 503 writes it. */
  name: string;
  /** Likewise, sorted. */
  extras: readonly string[];
  /** Version specifiers, `>=2.31,<3`; empty where any version will do. */
  specifier: string;
  marker: Marker | null;
  /** As it was written. */
  text: string;
}

/** What markers are asked about: `python_version`, `sys_platform` and so on. */
export type MarkerEnvironment = Readonly<Record<string, string>>;

type Side = { variable: string } | { literal: string };
export type Marker =
  | { kind: "or" | "and"; parts: readonly Marker[] }
  | { kind: "compare"; left: Side; operator: string; right: Side };

/** Why a text is no requirement. */
export class RequirementError extends Error {}

/** Longer texts are nobody's requirement. */
const MOST_CHARACTERS = 1024;
/** Parentheses in markers; nobody nests them. */
const MOST_DEPTH = 50;

const VARIABLES = new Set([
  "os_name",
  "sys_platform",
  "platform_machine",
  "platform_python_implementation",
  "platform_release",
  "platform_system",
  "platform_version",
  "python_version",
  "python_full_version",
  "implementation_name",
  "implementation_version",
  "extra",
]);

/** A package's name in the one form in which names are compared (PEP 503). */
export const canonicalName = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, "-");

/** Name and extras; nothing in it can match in two ways, so that no text takes long. */
const HEAD = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?/;
const EXTRA = /^[A-Za-z0-9._-]*$/;

/** @throws RequirementError that says what is wrong with it */
export function parseRequirement(text: string): Requirement {
  if (text.length > MOST_CHARACTERS)
    throw new RequirementError(`it has more than ${MOST_CHARACTERS} characters`);
  const semicolon = text.indexOf(";");
  const head = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  const [named = "", name, list = ""] = HEAD.exec(head) ?? [];
  if (name === undefined) throw new RequirementError("it does not begin with the name of a package");
  const versions = head.slice(named.length).trim();
  const extras = list.split(",").map((extra) => extra.trim());
  const wrong = extras.find((extra) => !EXTRA.test(extra));
  if (wrong !== undefined) throw new RequirementError(`${JSON.stringify(wrong)} is no name of an extra`);
  if (versions.startsWith("@")) {
    throw new RequirementError("packages are not fetched from a URL: put the file into a folder of wheels");
  }
  const specifier = versions
    .replace(/^\(([^()]*)\)$/, "$1")
    .replaceAll(/\s+/g, "")
    .replace(/,$/, "");
  if (!validRange(specifier))
    throw new RequirementError(`${JSON.stringify(versions)} are no version specifiers (PEP 440)`);
  return {
    name: canonicalName(name),
    extras: [...new Set(extras.map(canonicalName))].filter((extra) => extra !== "").sort(),
    specifier,
    marker: semicolon < 0 ? null : parseMarker(text.slice(semicolon + 1)),
    text: text.trim(),
  };
}

const TOKEN = /\s*(?:(\()|(\))|('[^']*'|"[^"]*")|(===|~=|==|!=|<=|>=|<|>)|([A-Za-z_][\w.]*))/y;

function parseMarker(text: string): Marker {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const { length } = text.trimEnd();
  while (TOKEN.lastIndex < length) {
    const found = TOKEN.exec(text);
    if (!found) throw new RequirementError(`its marker ${JSON.stringify(text.trim())} cannot be read`);
    tokens.push(found[0].trim());
  }
  let at = 0;
  const fail = (): never => {
    throw new RequirementError(`its marker ${JSON.stringify(text.trim())} cannot be read`);
  };
  const list = (kind: "or" | "and", part: () => Marker): Marker => {
    const parts = [part()];
    while (tokens[at] === kind) {
      at++;
      parts.push(part());
    }
    return parts.length === 1 ? (parts[0] as Marker) : { kind, parts };
  };
  const side = (): Side => {
    const token = tokens[at++] ?? fail();
    if (/^['"]/.test(token)) return { literal: token.slice(1, -1) };
    // The forms with a dot are older (PEP 345).
    const variable = token
      .replace(".", "_")
      .replace(/^python_implementation$/, "platform_python_implementation");
    if (!VARIABLES.has(variable)) throw new RequirementError(`its marker has the unknown name ${token}`);
    return { variable };
  };
  const compare = (depth: number): Marker => {
    if (depth > MOST_DEPTH) fail();
    if (tokens[at] === "(") {
      at++;
      const inner = either(depth + 1);
      if (tokens[at++] !== ")") fail();
      return inner;
    }
    const left = side();
    let operator = tokens[at++] ?? fail();
    if (operator === "not" && tokens[at] === "in") {
      at++;
      operator = "not in";
    }
    if (!/^(not in|in|[<>=!~]+)$/.test(operator)) fail();
    return { kind: "compare", left, operator, right: side() };
  };
  const either = (depth: number): Marker => list("or", () => list("and", () => compare(depth)));
  const marker = either(0);
  return at === tokens.length ? marker : fail();
}

/**
 * Whether a requirement counts here.
 * @param extras what was asked for of the package whose requirement it is
 */
export function applies(
  { marker }: Requirement,
  environment: MarkerEnvironment,
  extras: readonly string[] = [],
): boolean {
  if (marker === null) return true;
  return ["", ...extras].some((extra) => evaluate(marker, { ...environment, extra }));
}

function evaluate(marker: Marker, environment: MarkerEnvironment): boolean {
  if (marker.kind !== "compare") {
    const { kind, parts } = marker;
    return parts[kind === "or" ? "some" : "every"]((part) => evaluate(part, environment));
  }
  const { left, operator, right } = marker;
  const isExtra = [left, right].some((side) => "variable" in side && side.variable === "extra");
  const read = (side: Side): string => {
    const value = "literal" in side ? side.literal : (environment[side.variable] ?? "");
    return isExtra ? canonicalName(value) : value;
  };
  return isExtra || operator.endsWith("in")
    ? compareTexts(read(left), operator, read(right))
    : compareVersions(read(left), operator, read(right));
}

/** Where both are versions, they compare as such; else as texts. */
function compareVersions(left: string, operator: string, right: string): boolean {
  return valid(left) && validRange(operator + right)
    ? satisfies(left, operator + right, { prereleases: true })
    : compareTexts(left, operator, right);
}

function compareTexts(left: string, operator: string, right: string): boolean {
  switch (operator) {
    case "in":
      return right.includes(left);
    case "not in":
      return !right.includes(left);
    case "==":
    case "===":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    default:
      return false;
  }
}

/** Whether a version is one of those that a requirement wants; a pre-release too, where `prereleases` says so or it names one. */
export function allowsVersion({ specifier }: Requirement, version: string, prereleases: boolean): boolean {
  // What some distributions call versions is none by PEP 440.
  if (specifier === "" && (prereleases || !valid(version))) return true;
  return satisfies(version, specifier, prereleases ? { prereleases: true } : {});
}

/** Versions and ranges of npm packages: `^1.2.3`, `~1.2`, `1.x`, `>=1 <3`, `1.2 - 2`, `1 || 2`. Source: semver.org 2.0.0, and npm's ranges. */

export interface Version {
  /** Major, minor, patch. */
  parts: readonly [number, number, number];
  prerelease: readonly (string | number)[];
}

type Operator = "<" | "<=" | ">" | ">=" | "=";
interface Comparator {
  operator: Operator;
  version: Version;
}
/** Any of these, each of which is all of its comparators. */
export type Range = readonly (readonly Comparator[])[];

/** Longer texts are nobody's range. */
const MOST_CHARACTERS = 256;

const PRERELEASE = "(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+[0-9A-Za-z.-]+)?";
const VERSION = new RegExp(`^[v=\\s]*(\\d{1,15})\\.(\\d{1,15})\\.(\\d{1,15})${PRERELEASE}$`);
/** A version of which parts may be left open. */
const PARTIAL = new RegExp(
  `^[v=\\s]*(\\d{1,15}|[xX*])?(?:\\.(\\d{1,15}|[xX*]))?(?:\\.(\\d{1,15}|[xX*]))?${PRERELEASE}$`,
);

const readPrerelease = (text: string | undefined) =>
  text === undefined ? [] : text.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));

/** @returns null for what is no version */
export function parseVersion(text: string): Version | null {
  const [whole, major, minor, patch, prerelease] =
    text.length > MOST_CHARACTERS ? [] : (VERSION.exec(text.trim()) ?? []);
  if (whole === undefined) return null;
  return { parts: [Number(major), Number(minor), Number(patch)], prerelease: readPrerelease(prerelease) };
}

/** Below 0 where `a` comes first. */
export function compareVersions(a: Version, b: Version): number {
  for (const i of [0, 1, 2] as const) if (a.parts[i] !== b.parts[i]) return a.parts[i] - b.parts[i];
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return b.prerelease.length - a.prerelease.length;
  for (let i = 0; i < Math.max(a.prerelease.length, b.prerelease.length); i++) {
    const [left, right] = [a.prerelease[i], b.prerelease[i]];
    if (left === right) continue;
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    if (typeof left !== typeof right) return typeof left === "number" ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return 0;
}

/** @returns null for what is no range */
export function parseRange(text: string): Range | null {
  if (text.length > MOST_CHARACTERS) return null;
  const sets: Comparator[][] = [];
  for (const part of text.split("||")) {
    const set = readSet(part.trim());
    if (!set) return null;
    sets.push(set);
  }
  return sets;
}

function readSet(text: string): Comparator[] | null {
  const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(text);
  if (hyphen) {
    const [from, to] = [readPartial(">=", hyphen[1] as string), readPartial("<=", hyphen[2] as string)];
    return from && to && [...from, ...to];
  }
  const set: Comparator[] = [];
  for (const word of text.replaceAll(/(>=|<=|>|<|=|~>?|\^)\s+/g, "$1").split(/\s+/)) {
    const [, operator = "", partial = ""] = /^(>=|<=|>|<|=|~>?|\^)?(.*)$/.exec(word) ?? [];
    const read = readPartial(operator, partial);
    if (!read) return null;
    set.push(...read);
  }
  return set;
}

/** What an operator before a version means, of which parts may be left open. */
function readPartial(operator: string, text: string): Comparator[] | null {
  const found = PARTIAL.exec(text);
  if (!found) return null;
  const given = found
    .slice(1, 4)
    .map((part) => (part === undefined || /[xX*]/.test(part) ? undefined : Number(part)));
  const open = given.indexOf(undefined);
  const fixed = open < 0 ? 3 : open;
  const prerelease = fixed === 3 ? readPrerelease(found[4]) : [];
  const lowest: Version = {
    parts: [given[0] ?? 0, fixed > 1 ? (given[1] ?? 0) : 0, fixed > 2 ? (given[2] ?? 0) : 0],
    prerelease,
  };
  const from: Comparator = { operator: ">=", version: lowest };
  /** The first version in which this part is one more; a pre-release of it is not in the range. */
  const below = (part: number): Comparator => {
    const parts = lowest.parts.map((value, i) => (i < part ? value : i === part ? value + 1 : 0));
    return { operator: "<", version: { parts: parts as unknown as Version["parts"], prerelease: [0] } };
  };
  if (fixed === 0)
    return operator === "<" || operator === ">"
      ? [{ operator: "<", version: { parts: [0, 0, 0], prerelease: [0] } }]
      : [from];
  switch (operator) {
    case "^": {
      // Up to the first part that is not 0, or that is left open.
      const first = lowest.parts.findIndex((part) => part !== 0);
      return [from, below(first < 0 || first >= fixed ? fixed - 1 : first)];
    }
    case "~":
    case "~>":
      return [from, below(fixed > 1 ? 1 : 0)];
    case ">=":
      return [from];
    case "<":
      return [{ operator: "<", version: fixed < 3 ? { ...lowest, prerelease: [0] } : lowest }];
    case ">":
      return fixed < 3
        ? [{ operator: ">=", version: below(fixed - 1).version }]
        : [{ operator: ">", version: lowest }];
    case "<=":
      return fixed < 3 ? [below(fixed - 1)] : [{ operator: "<=", version: lowest }];
    default:
      return fixed < 3 ? [from, below(fixed - 1)] : [{ operator: "=", version: lowest }];
  }
}

/** Whether a version is in a range; a pre-release only where the range names one of the same version. */
export function satisfiesRange(version: Version, range: Range): boolean {
  return range.some(
    (set) =>
      set.every(({ operator, version: bound }) => {
        const order = compareVersions(version, bound);
        switch (operator) {
          case "<":
            return order < 0;
          case "<=":
            return order <= 0;
          case ">":
            return order > 0;
          case ">=":
            return order >= 0;
          default:
            return order === 0;
        }
      }) &&
      (version.prerelease.length === 0 ||
        set.some(
          ({ version: bound }) =>
            bound.prerelease.length > 0 &&
            bound.prerelease[0] !== 0 &&
            bound.parts.every((part, i) => part === version.parts[i]),
        )),
  );
}

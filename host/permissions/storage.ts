/**
 * Rules for `read` and `write`: prefixes of storage paths. `s3://bucket/a` covers `s3://bucket/a` and all below it, never
 * `s3://bucket/ab`; `s3://` covers all of S3. Paths without a scheme are absolute (`/data`; `file:///data` is the same) or
 * relative to the storage (`reports/2026`).
 *
 * A path that another reader could take for a different place is refused, not repaired: `..`, empty parts, backslashes,
 * encoded dots and slashes, query strings.
 */
import { fold, RuleError, type RuleKind, UNSAFE_CHARACTERS } from "./rules.ts";

export const storage: RuleKind = {
  noun: "a path",

  parse(text) {
    if (text === "") throw new RuleError("it is empty");
    if (text.includes("*")) throw new RuleError("it is a prefix and takes no *; name the folder");
    const why = problemOf(text);
    if (why) throw new RuleError(why);
    return normalise(text);
  },

  canonical(value) {
    return problemOf(value) === null && value !== "" ? normalise(value) : null;
  },

  allows: covers,

  denies(rule, value) {
    return covers(loosen(rule), loosen(value));
  },

  intersect(a, b) {
    return covers(a, b) ? b : covers(b, a) ? a : null;
  },
};

/** Windows drops dots and spaces at the end of a name, so a deny rule does too. */
const loosen = (path: string) => fold(path).replace(/[. ]+(?=\/|$)/g, "");

/** Takes scheme and path apart. */
function split(text: string): { scheme: string; path: string } {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
  return scheme
    ? { scheme: scheme[0].toLowerCase(), path: text.slice(scheme[0].length) }
    : { scheme: "", path: text };
}

function problemOf(text: string): string | null {
  if (text.length > 4096) return "it is longer than 4096 characters";
  if (UNSAFE_CHARACTERS.test(text)) return "it has a control character or one that turns text around";
  if (text.includes("\\")) return "it has a backslash; folders are separated by /";
  if (/%(2e|2f|5c|00|25)/i.test(text)) return "it has an encoded dot, slash, backslash, NUL or percent sign";
  const { scheme, path } = split(text);
  if (scheme !== "" && /[?#]/.test(path)) return "it has a query or fragment";
  if (scheme === "" && /^[a-z][a-z0-9+.-]*:/i.test(path)) return "it has a scheme without // or a drive";
  const inner = path.replace(/^\//, "").replace(/\/$/, "");
  if (scheme === "file://" && !path.startsWith("/")) return "it names a file on another machine";
  if (scheme !== "" && scheme !== "file://" && path.startsWith("/")) return "it names no bucket";
  // Compatibility forms of the dot (U+2024, U+FF0E) fold to one on some file systems.
  const parts = inner === "" ? [] : inner.normalize("NFKC").split("/");
  if (parts.includes("..") || parts.includes(".")) return "it has a part . or ..";
  if (parts.some((part) => part.trim() === "")) return "it has an empty part";
  return null;
}

/** One spelling a place: lower-case scheme, no trailing slash, `file:///a` as `/a`. */
function normalise(text: string): string {
  const { scheme, path } = split(text);
  const trimmed = path === "/" ? path : path.replace(/\/$/, "");
  return scheme === "file://" ? trimmed : scheme + trimmed;
}

/** Whether `value` is `rule` or lies below it; both normalised. */
function covers(rule: string, value: string): boolean {
  if (value === rule) return true;
  return value.startsWith(rule.endsWith("/") ? rule : `${rule}/`);
}

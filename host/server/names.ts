/** Names that are part of keys and paths: slugs of UDFs, names of collections, ids. */
import { showText } from "../../runtime/show.ts";
import { HttpError } from "./errors.ts";

/** The most characters of a name. */
export const MOST_NAME = 200;

/** Dots alone and slashes are no part of a path; the rest breaks lines or turns them around; the last is no part of keys. */
const FORBIDDEN = /^\.{1,2}$|[\u0000-\u001f\u007f/\\\u202a-\u202e\u2066-\u2069]|\u{10ffff}/u;

/** Whether a text can be a name. */
export function isName(text: string): boolean {
  return text !== "" && text.length <= MOST_NAME && text.isWellFormed() && !FORBIDDEN.test(text);
}

/** @param what `a UDF`, `a collection` @throws HttpError 422 */
export function checkName(what: string, text: string): string {
  if (isName(text)) return text;
  throw new HttpError(
    422,
    `Cannot name ${what} ${showText(text, MOST_NAME)}: a name has 1 to ${MOST_NAME} characters, no slashes or control characters, and is not "." or ".."`,
  );
}

/** Whether a text can be an id that this server gave. */
export const isId = (text: string): boolean => /^[\w-]{1,64}$/.test(text);

const MOST_DEPTH = 50;

/** Whether a parsed value is small and flat enough to be kept beside something else. */
export function isPlainJson(value: unknown, mostCharacters: number): boolean {
  return depthOf(value) <= MOST_DEPTH && JSON.stringify(value).length <= mostCharacters;
}

/** How deep a value is nested, as far as it matters. */
function depthOf(value: unknown, above = 0): number {
  if (typeof value !== "object" || value === null || above > MOST_DEPTH) return above;
  return Object.values(value).reduce<number>((most, item) => Math.max(most, depthOf(item, above + 1)), above);
}

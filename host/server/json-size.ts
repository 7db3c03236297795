/**
 * Whether a text of JSON may be read at all. Millions of small values take minutes and gigabytes in a text of some megabytes; what is
 * nested very deep ends functions that call themselves.
 */

const MOST_VALUES = 2_000_000;
/** Of what anybody may send: these take some tenths of a second. */
export const MOST_OPEN_VALUES = 100_000;
const MOST_LEVELS = 1000;

const [QUOTE, BACKSLASH, COMMA, LIST, LIST_END, OBJECT, OBJECT_END] = [...'"\\,[]{}'].map((character) =>
  character.charCodeAt(0),
);

/** @returns what is wrong with it; null for all else, well-formed or not. A text in it is one value, whatever is in that */
export function jsonProblem(json: string, mostValues = MOST_VALUES): string | null {
  let isText = false;
  let values = 0;
  let levels = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (isText) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) isText = false;
    } else if (code === QUOTE) isText = true;
    else if (code === COMMA) values++;
    else if (code === LIST || code === OBJECT) {
      values++;
      levels++;
      if (levels > MOST_LEVELS) return `it is nested deeper than ${MOST_LEVELS} levels`;
    } else if (code === LIST_END || code === OBJECT_END) levels--;
    if (values > mostValues) return `it has more than ${mostValues} values`;
  }
  return null;
}

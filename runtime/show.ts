/** How texts of strangers are shown: in prompts, errors, lists and the audit log. Always on one line. */

/** What is invisible, steers a terminal, or turns the direction of text around: all but plain spaces. */
const HIDDEN = /[[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]--[ ]]/gv;
/** Marks that stand on no letter, and those piled up: they would draw over their neighbours. */
const LOOSE_MARKS = /(?<!\p{L}\p{M}?\p{M}?)\p{M}/gu;

const codes = (text: string) =>
  text.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const escapeHidden = (text: string) => text.replace(HIDDEN, codes).replace(LOOSE_MARKS, codes);

const quote = (text: string) => escapeHidden(JSON.stringify(text));

/** Cuts a text that is too long in the middle, and says how much is missing. */
function cut(text: string, most: number, show: (part: string) => string): string {
  const ends = text.length > 4 * most ? text.slice(0, 2 * most) + text.slice(-2 * most) : text;
  const characters = Array.from(ends);
  if (characters.length <= most) return show(text);
  const half = Math.floor(most / 2);
  const [head, tail] = [characters.slice(0, half).join(""), characters.slice(-half).join("")];
  return `${show(head)} … ${text.length - head.length - tail.length} more … ${show(tail)}`;
}

/**
 * In quotation marks. What cannot be seen is written as `\u202e`; of a text that is too long, what is missing is said outside
 * of the quotation marks.
 * @param most characters, at least 2. Default 200.
 */
export const showText = (text: string, most = 200): string => cut(text, most, quote);

/** The same without quotation marks. */
export const plainText = (text: string, most = 200): string => cut(text, most, escapeHidden);

/** What was received in place of something else: texts and plain values as they are, of all else the kind. */
export function showReceived(value: unknown): string {
  if (typeof value === "string") return showText(value, 100);
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}

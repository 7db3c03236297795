/** JSON whose numbers stay what they are: JavaScript's numbers keep neither all digits of an integer, nor that `2.0` is none. */

/** Most texts have no such number. */
const MAY_LOSE = /\d{16}|\.0|\d[eE]/;

/** What was parsed of a text, with exact numbers: a large integer is a BigInt, and a float that JSON.stringify would change is raw JSON. */
export const exactly = <Value>(parsed: Value, text: string): Value =>
  MAY_LOSE.test(text) ? (JSON.parse(text, exactNumber) as Value) : parsed;

/** Parses a text so. */
export const parseExact = (text: string): unknown => exactly(JSON.parse(text) as unknown, text);

/** Writes it as it was. */
export const stringifyExact = (value: unknown): string =>
  JSON.stringify(value, (_name, item) => (typeof item === "bigint" ? JSON.rawJSON(String(item)) : item));

function exactNumber(_name: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== "number" || source === undefined) return value;
  if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? value : BigInt(source);
  // `2.0` would be `2`, and `1e400` null.
  return /^-?\d+$/.test(String(value)) || !Number.isFinite(value) ? JSON.rawJSON(source) : value;
}

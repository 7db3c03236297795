/**
 * Parameters as a UDF declares them, from what a caller gave: texts, as the command line and URLs have them, or values.
 *
 * - `null` passes as it is, whatever the type; a parameter without annotation stays as it was given.
 * - `string`: numbers and booleans become their text, other values JSON text.
 * - `number`, `bigint`: from a number's text in base 10; booleans count as 0 and 1.
 * - `boolean`: of a text, only `false` (in any case) and the empty text are false; of a number, 0.
 * - `Date`: ISO 8601 text (UTC where it names no zone), or seconds since 1970.
 * - `Uint8Array`: bytes, or a text in UTF-8.
 * - arrays, tuples, objects: JSON text or the value; what they hold is converted as well.
 * - unions: a type that the value is of already, else the first that it can be converted to; a text stays one where `string` is a member.
 * - `tile`/`Tile` and `bounds`/`Bounds` are filled in when the UDF is run for a tile.
 */

import type { CallPlan, ParameterPlan, TypePlan } from "../../runtime/engines/quickjs/plan.ts";
import { ParameterError } from "../../runtime/errors.ts";
import type { Bounds, Tile } from "./udf.ts";

/** Why a value does not fit, without the parameter's name. */
class Mismatch extends Error {}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;
const NAMED_NUMBERS: Record<string, number> = {
  nan: Number.NaN,
  infinity: Infinity,
  "-infinity": -Infinity,
  inf: Infinity,
  "-inf": -Infinity,
};
const ISO_DATE = /^\d{4}-\d\d-\d\d$/;
const ISO_TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null &&
  typeof value === "object" &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !ArrayBuffer.isView(value);

/** What a type is called in messages. */
function describe(type: TypePlan): string {
  if (typeof type === "string")
    return { date: "Date", bytes: "Uint8Array", tile: "Tile", bounds: "Bounds" }[type as string] ?? type;
  if ("literal" in type) return JSON.stringify(type.literal);
  if ("array" in type) return `${describe(type.array)}[]`;
  if ("tuple" in type) return `[${type.tuple.map(describe).join(", ")}]`;
  if ("union" in type) return type.union.map(describe).join(" | ");
  return "object";
}

/** A value in a message. */
function quote(value: unknown): string {
  let text: string;
  try {
    text = typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
  } catch {
    text = String(value);
  }
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint" || typeof value === "boolean") return Number(value);
  const text = typeof value === "string" ? value.trim() : "";
  if (NUMBER.test(text)) return Number(text);
  const named = NAMED_NUMBERS[text.toLowerCase()];
  if (named === undefined) throw new Mismatch("it is no number");
  return named;
}

function toBigInt(value: unknown): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "boolean" || (typeof value === "number" && Number.isInteger(value)))
    return BigInt(value);
  if (typeof value === "string" && INTEGER.test(value.trim())) return BigInt(value.trim().replace(/^\+/, ""));
  throw new Mismatch("it is no integer");
}

function toBoolean(value: unknown): boolean {
  if (typeof value === "string") return value !== "" && value.toLowerCase() !== "false";
  return Boolean(value);
}

function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function toDate(value: unknown): Date {
  if (value instanceof Date) return value;
  const text = typeof value === "string" ? value.trim() : "";
  let date = new Date(Number.NaN);
  const parts = ISO_TIME.exec(text);
  if (ISO_DATE.test(text)) date = new Date(`${text}T00:00:00Z`);
  else if (parts) date = new Date(`${parts[1]}T${seconds(parts[2] as string)}${zone(parts[3])}`);
  else if (typeof value === "number" || NUMBER.test(text)) date = new Date(Number(value) * 1000);
  if (Number.isNaN(date.getTime()))
    throw new Mismatch("it is no ISO 8601 date and no number of seconds since 1970");
  return date;
}

/** A time of day with seconds and at most milliseconds, all that every engine reads. */
function seconds(time: string): string {
  const [clock, fraction = ""] = time.split(/[.,]/) as [string, string?];
  return `${clock.length === 5 ? `${clock}:00` : clock}.${fraction.slice(0, 3).padEnd(3, "0")}`;
}

function zone(text: string | undefined): string {
  if (!text || /^z$/i.test(text)) return "Z";
  const digits = text.slice(1).replace(":", "").padEnd(4, "0");
  return `${text[0]}${digits.slice(0, 2)}:${digits.slice(2)}`;
}

function fromJson(value: unknown, what: string): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new Mismatch(`it is no JSON ${what}`);
  }
}

function toTuple(value: unknown, types: readonly TypePlan[]): unknown[] {
  const items = fromJson(value, "list");
  if (!Array.isArray(items)) throw new Mismatch("it is no list");
  if (items.length !== types.length)
    throw new Mismatch(`it has ${items.length} items instead of ${types.length}`);
  return types.map((type, i) => within(`[${i}]`, () => convert(items[i], type)));
}

function within<T>(place: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof Mismatch ? new Mismatch(`${place}: ${error.message}`) : error;
  }
}

function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

function toObject(value: unknown, type: Extract<TypePlan, { object: unknown }>): Record<string, unknown> {
  const given = fromJson(value, "object");
  if (!isObject(given)) throw new Mismatch("it is no object");
  const object: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(given)) {
    const field = Object.hasOwn(type.object, name) ? type.object[name]?.type : type.rest;
    setField(
      object,
      name,
      within(`.${name}`, () => convert(item, field ?? "any")),
    );
  }
  for (const [name, { optional }] of Object.entries(type.object)) {
    if (!optional && !Object.hasOwn(given, name)) throw new Mismatch(`.${name} is missing`);
  }
  return object;
}

/** Whether a value is of a type as it stands. */
function fits(value: unknown, type: TypePlan): boolean {
  if (typeof type !== "string") {
    if ("literal" in type) return value === type.literal;
    if ("union" in type) return type.union.some((member) => fits(value, member));
    if ("object" in type) return isObject(value);
    return Array.isArray(value);
  }
  switch (type) {
    case "any":
      return true;
    case "null":
    case "undefined":
      return value === null || value === undefined;
    case "date":
      return value instanceof Date;
    case "bytes":
      return value instanceof Uint8Array;
    case "tile":
      return isObject(value);
    case "bounds":
      return Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function toUnion(value: unknown, types: readonly TypePlan[]): unknown {
  const rank = (type: TypePlan) => (type === "any" ? 2 : fits(value, type) ? 0 : 1);
  for (const type of [...types].sort((a, b) => rank(a) - rank(b))) {
    // Any text is a boolean, which would leave nothing to the members after it.
    if (type === "boolean" && typeof value === "string" && !/^(true|false)$/i.test(value)) continue;
    try {
      return convert(value, type);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
    }
  }
  throw new Mismatch("it is none of these");
}

function toLiteral(value: unknown, literal: string | number | boolean): unknown {
  const matches =
    value === literal ||
    (typeof value === "string" &&
      typeof literal !== "string" &&
      value.trim().toLowerCase() === String(literal)) ||
    (typeof literal === "string" && typeof value !== "object" && String(value) === literal);
  if (!matches) throw new Mismatch(`it is not ${JSON.stringify(literal)}`);
  return literal;
}

function convert(value: unknown, type: TypePlan): unknown {
  if (value === null || value === undefined || type === "any") return value;
  if (typeof type !== "string") {
    if ("literal" in type) return toLiteral(value, type.literal);
    if ("union" in type) return toUnion(value, type.union);
    if ("tuple" in type) return toTuple(value, type.tuple);
    if ("object" in type) return toObject(value, type);
    const items = fromJson(value, "list");
    if (!Array.isArray(items)) throw new Mismatch("it is no list");
    return items.map((item, i) => within(`[${i}]`, () => convert(item, type.array)));
  }
  switch (type) {
    case "string":
      return toText(value);
    case "number":
      return toNumber(value);
    case "bigint":
      return toBigInt(value);
    case "boolean":
      return toBoolean(value);
    case "date":
      return toDate(value);
    case "bytes":
      if (value instanceof Uint8Array) return value;
      if (typeof value === "string") return new TextEncoder().encode(value);
      throw new Mismatch("it is no bytes");
    case "tile":
      return toObject(value, { object: { x: NUMBER_FIELD, y: NUMBER_FIELD, z: NUMBER_FIELD }, rest: "any" });
    case "bounds":
      return toTuple(value, ["number", "number", "number", "number"]);
    default:
      // `null` or `undefined` as a text, from a place that has only texts.
      if (value === "" || value === "null" || value === "undefined")
        return type === "null" ? null : undefined;
      throw new Mismatch(`it is not ${type}`);
  }
}

const NUMBER_FIELD = { type: "number", optional: false } as const;

/**
 * The box of a tile in degrees. Source: OpenStreetMap wiki, "Slippy map tilenames" (Web Mercator, EPSG:3857, tile 0/0/0 is the world).
 */
export function tileBounds({ x, y, z }: Tile): Bounds {
  const count = 2 ** z;
  const longitude = (column: number) => (column / count) * 360 - 180;
  // In the order in which Python's math.degrees multiplies: the same tile has the same bounds in both languages.
  const degrees = (radians: number) => radians * (180 / Math.PI);
  const latitude = (row: number) => degrees(Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / count))));
  return [longitude(x), latitude(y + 1), longitude(x + 1), latitude(y)];
}

function fromTile({ name, type }: ParameterPlan, tile: Tile): unknown {
  if (type === "tile" || name === "tile") return { x: tile.x, y: tile.y, z: tile.z };
  return type === "bounds" || name === "bounds" ? tileBounds(tile) : undefined;
}

/** The number of edits between two words, for names that were mistyped. Source: Levenshtein distance, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** The part of a name that may be mistyped for it still to be suggested. */
const NEAR = 0.4;

function unknown(name: string, declared: readonly string[]): ParameterError {
  const near = declared
    .map((candidate) => ({
      candidate,
      edits: distance(name.toLowerCase().slice(0, 100), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.edits - b.edits)[0];
  const hint =
    near && near.edits <= Math.max(1, Math.floor(near.candidate.length * NEAR))
      ? `; did you mean ${JSON.stringify(near.candidate)}?`
      : "";
  const known = declared.length > 0 ? `the UDF has ${declared.join(", ")}` : "the UDF has no parameters";
  return new ParameterError(`Unknown parameter ${JSON.stringify(name)}: ${known}${hint}`, {
    parameter: name,
  });
}

function convertParameter(value: unknown, name: string, type: TypePlan, annotation: string | null): unknown {
  try {
    return convert(value, type);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new ParameterError(
      `Cannot convert parameter ${JSON.stringify(name)} to ${annotation ?? describe(type)}: ${error.message}: received ${quote(value)}`,
      { parameter: name },
    );
  }
}

/**
 * The arguments to call a UDF with.
 * @param given by name; texts or values
 * @param tile the tile of a tile run, or null
 * @throws ParameterError for an unknown name, a missing value, or one that cannot be converted
 */
export function coerceParameters(
  plan: CallPlan,
  given: Readonly<Record<string, unknown>>,
  tile: Tile | null,
): unknown[] {
  if (!isObject(given))
    throw new ParameterError("Cannot read the parameters: they must be an object", {
      parameter: "parameters",
    });
  const declared = new Map(plan.parameters.map((parameter) => [parameter.name, parameter]));
  const all: Record<string, unknown> = {};
  for (const [name, value] of [...Object.entries(plan.defaults), ...Object.entries(given)]) {
    const parameter = declared.get(name);
    if (!parameter && plan.open === null) throw unknown(name, [...declared.keys()]);
    setField(
      all,
      name,
      convertParameter(value, name, parameter?.type ?? plan.open ?? "any", parameter?.annotation ?? null),
    );
  }
  for (const parameter of declared.values()) {
    const { name, optional } = parameter;
    if (Object.hasOwn(all, name)) continue;
    const filled = tile ? fromTile(parameter, tile) : undefined;
    if (filled !== undefined) setField(all, name, filled);
    else if (!optional)
      throw new ParameterError(`Missing parameter ${JSON.stringify(name)}`, { parameter: name });
  }
  if (plan.style === "object") return [all];
  return plan.parameters.flatMap(({ name, rest }) =>
    rest ? (Array.isArray(all[name]) ? (all[name] as unknown[]) : []) : [all[name]],
  );
}

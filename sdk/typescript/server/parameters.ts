/** Parameters on their way to a server, which turns them back by the UDF's annotations. */
import { formatResult } from "../../../host/formats/formats.ts";
import { jsonText } from "../../../host/formats/json.ts";
import { ParameterError } from "../../../runtime/errors.ts";
import { encodeParameters } from "../../../runtime/run-options.ts";
import { showText } from "../../../runtime/show.ts";
import { decodeValue, TableValue } from "../../../runtime/value.ts";

/** By name. */
export type Parameters = Readonly<Record<string, unknown>>;

/**
 * As JSON has them. Tables are GeoJSON or records, as text; lists, objects and flags are JSON text, or themselves where the server is of
 * our own kind.
 * @throws ParameterError for what has no place in JSON
 */
export async function wireParameters(given: Parameters, isOurs: boolean): Promise<Record<string, unknown>> {
  const wire: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) wire[name] = await wireValue(name, value, isOurs);
  return wire;
}

/** The same as texts; what is null is left out. @throws ParameterError */
export async function queryParameters(given: Parameters): Promise<Record<string, string>> {
  const wire = await wireParameters(given, false);
  return Object.fromEntries(
    Object.entries(wire)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, String(value)]),
  );
}

async function wireValue(name: string, value: unknown, isOurs: boolean): Promise<unknown> {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint" && !isOurs) return String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof TableValue) {
    const isGeo = value.kind === "geodataframe" || value.kind === "geoseries";
    const { bytes } = await formatResult(value, isGeo ? "geojson" : "json");
    return new TextDecoder().decode(bytes);
  }
  // As for a run here, so that what cannot cross there is told in the same words.
  const encoded = encodeParameters({ [name]: value });
  if (encoded.buffers.length > 0)
    throw new ParameterError(
      `Cannot send the parameter ${showText(name, 100)} to a server: it holds binary data: upload it, and pass its place`,
      { parameter: name },
    );
  const text = jsonText((decodeValue(encoded) as Record<string, unknown>)[name]);
  return isOurs ? JSON.parse(text, keepDigits) : text;
}

/** Large integers, as JavaScript's numbers do not have them. */
const keepDigits = (_key: string, value: unknown, { source = "" }: { source?: string } = {}): unknown =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
    ? JSON.rawJSON(source)
    : value;

/** CSV (RFC 4180, UTF-8, with a header). Missing cells are empty, an empty text is `""`, geometries are WKT, nested values JSON. */
import { MediaValue } from "../../runtime/value.ts";
import { jsonText } from "./json.ts";
import { base64, TextSink } from "./sink.ts";
import { type Column, columnsOf } from "./table.ts";
import { describeValue, UnsuitableError } from "./values.ts";
import { readWkb, toWkt } from "./wkb.ts";

/** Encodes a table or a list of records. @throws UnsuitableError for anything else. */
export async function encodeCsv(value: unknown): Promise<Uint8Array> {
  if (value instanceof MediaValue && /^text\/csv\b/.test(value.type)) return value.bytes;
  const table = await columnsOf(value);
  if (!table) throw new UnsuitableError(`it is ${describeValue(value)}`);
  const { columns, rows } = table;
  const sink = new TextSink();
  sink.write(`${columns.map((column) => quote(column.name)).join(",")}\r\n`);
  for (let row = 0; row < rows; row++) {
    const line = columns.map((column) => cellText(column, row)).join(",");
    // An empty line would be no row at all.
    sink.write(`${line === "" ? '""' : line}\r\n`);
  }
  return sink.bytes();
}

function quote(text: string): string {
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cellText(column: Column, row: number): string {
  const cell = column.get(row);
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number") {
    if (Number.isNaN(cell)) return "";
    return Number.isFinite(cell) ? String(cell) : cell > 0 ? "inf" : "-inf";
  }
  if (typeof cell === "string") return quote(cell);
  if (cell instanceof Uint8Array) return quote(column.isGeometry ? toWkt(readWkb(cell)) : base64(cell));
  return quote(typeof cell === "object" ? jsonText(cell) : String(cell));
}

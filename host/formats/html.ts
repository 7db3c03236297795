/** HTML: texts and HTML documents as they are, tables and lists of records as a page with one table. */
import { MediaValue } from "../../runtime/value.ts";
import { jsonText } from "./json.ts";
import { base64, TextSink } from "./sink.ts";
import { type Column, columnsOf } from "./table.ts";
import { describeValue, UnsuitableError } from "./values.ts";
import { readWkb, toWkt } from "./wkb.ts";

const HEAD = `<!doctype html>
<meta charset="utf-8">
<title>Result</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 1rem }
table { border-collapse: collapse }
th, td { border: 1px solid #ccc; padding: .25em .6em; text-align: left }
.n { text-align: right; font-variant-numeric: tabular-nums }
</style>
`;

/** Encodes a text, an HTML document, a table or a list of records. @throws UnsuitableError for anything else. */
export async function encodeHtml(value: unknown): Promise<Uint8Array> {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof MediaValue && /^(text\/html|application\/xhtml\+xml)\b/.test(value.type))
    return value.bytes;
  const table = await columnsOf(value);
  if (!table) throw new UnsuitableError(`it is ${describeValue(value)}`);
  const sink = new TextSink();
  const cell = (tag: string, column: Column, text: string) =>
    `<${tag}${column.isNumeric ? ' class="n"' : ""}>${escapeHtml(text)}</${tag}>`;
  sink.write(`${HEAD}<table>\n<thead><tr>`);
  for (const column of table.columns) sink.write(cell("th", column, column.name));
  sink.write("</tr></thead>\n<tbody>\n");
  for (let row = 0; row < table.rows; row++) {
    sink.write("<tr>");
    for (const column of table.columns) sink.write(cell("td", column, cellText(column, row)));
    sink.write("</tr>\n");
  }
  sink.write("</tbody>\n</table>\n");
  return sink.bytes();
}

function cellText(column: Column, row: number): string {
  const value = column.get(row);
  if (value === null || value === undefined) return "";
  if (value instanceof Uint8Array) return column.isGeometry ? toWkt(readWkb(value)) : base64(value);
  return typeof value === "object" ? jsonText(value) : String(value);
}

const escapeHtml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

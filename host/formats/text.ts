/** Text for people: tables aligned, texts as they are, all else as indented JSON. */
import { MediaValue, TableValue } from "../../runtime/value.ts";
import { encodeJson, jsonText } from "./json.ts";
import { TextSink } from "./sink.ts";
import { type Column, columnsOf } from "./table.ts";
import { describeValue, UnsuitableError } from "./values.ts";
import { readWkb, toWkt } from "./wkb.ts";

const MAX_ROWS = 200;
const MAX_CELL = 48;

/** Encodes a value. @throws UnsuitableError for bytes and for documents that are no text. */
export async function encodeText(value: unknown): Promise<Uint8Array> {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof MediaValue && value.type.startsWith("text/")) return value.bytes;
  if (value instanceof MediaValue || value instanceof Uint8Array)
    throw new UnsuitableError(`it is ${describeValue(value)}`);
  const table = await columnsOf(value);
  if (!table || (table.columns.length === 0 && !(value instanceof TableValue)))
    return encodeJson(value, { pretty: true });
  const { columns, rows } = table;
  const shown = Math.min(rows, MAX_ROWS);
  const cells = columns.map((column) => {
    const texts = Array.from({ length: shown }, (_, row) => cut(cellText(column, row)));
    return [cut(escapeControls(column.name)), ...texts];
  });
  const widths = cells.map((texts) => Math.max(...texts.map(widthOf)));
  const sink = new TextSink();
  for (let line = 0; line <= shown; line++) {
    const parts = cells.map((texts, index) => {
      const text = texts[line] as string;
      const space = " ".repeat((widths[index] as number) - widthOf(text));
      return columns[index]?.isNumeric ? space + text : text + space;
    });
    sink.write(`${parts.join("  ").trimEnd()}\n`);
  }
  if (shown < rows) sink.write(`… ${rows} rows\n`);
  return sink.bytes();
}

function cellText(column: Column, row: number): string {
  const cell = column.get(row);
  if (cell === null || cell === undefined) return "";
  if (cell instanceof Uint8Array) return column.isGeometry ? toWkt(readWkb(cell)) : `${cell.length} bytes`;
  if (typeof cell === "object") return escapeControls(jsonText(cell));
  return escapeControls(String(cell));
}

/** Control characters as escapes: a line break would break the table, others would steer the terminal. */
function escapeControls(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) =>
    character.charCodeAt(0) < 32
      ? JSON.stringify(character).slice(1, -1)
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function cut(text: string): string {
  if (text.length <= MAX_CELL && widthOf(text) <= MAX_CELL) return text;
  let width = 1;
  let kept = "";
  for (const character of text) {
    width += characterWidth(character);
    if (width > MAX_CELL) break;
    kept += character;
  }
  return `${kept}…`;
}

function widthOf(text: string): number {
  if (/^[\u0020-\u02ff]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Columns of a terminal: none for marks, two for East Asian wide characters and emoji. */
function characterWidth(character: string): number {
  if (/\p{Mark}|\u200d|\ufe0f/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    character,
  )
    ? 2
    : 1;
}

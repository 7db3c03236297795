/** Arrow IPC streams: a table's own, or one made from a list of records. */
import { MediaValue, TableValue } from "../../runtime/value.ts";
import { jsonText } from "./json.ts";
import { type Columns, columnsOf } from "./table.ts";
import { describeValue, UnsuitableError } from "./values.ts";

/** Encodes a table or a list of records. @throws UnsuitableError for anything else. */
export async function encodeArrow(value: unknown): Promise<Uint8Array> {
  if (value instanceof TableValue) return value.ipc;
  if (value instanceof MediaValue && value.type === "application/vnd.apache.arrow.stream") return value.bytes;
  const table = await columnsOf(value);
  if (!table) throw new UnsuitableError(`it is ${describeValue(value)}`);
  return recordsToArrow(table);
}

/** A column is boolean, int64, double, bytes or text: the narrowest that holds all its cells; nested values are JSON text. */
async function recordsToArrow({ columns, rows }: Columns): Promise<Uint8Array> {
  const { Binary, Bool, Float64, Int64, Table, tableToIPC, Utf8, vectorFromArray } = await import(
    "apache-arrow"
  );
  const makers = {
    boolean: (cells: unknown[]) => vectorFromArray(cells as boolean[], new Bool()),
    integer: (cells: unknown[]) =>
      vectorFromArray(
        cells.map((cell) => (cell === null ? null : BigInt(cell as number | bigint))),
        new Int64(),
      ),
    number: (cells: unknown[]) =>
      vectorFromArray(
        cells.map((cell) => (cell === null ? null : Number(cell))),
        new Float64(),
      ),
    bytes: (cells: unknown[]) => vectorFromArray(cells as Uint8Array[], new Binary()),
    text: (cells: unknown[]) =>
      vectorFromArray(
        cells.map((cell) => (cell === null || typeof cell === "string" ? cell : jsonText(cell))),
        new Utf8(),
      ),
  };
  const vectors = columns.map((column) => {
    const cells = Array.from({ length: rows }, (_, row) => column.get(row) ?? null);
    return [column.name, makers[kindOf(cells)](cells)] as const;
  });
  return tableToIPC(new Table(Object.fromEntries(vectors)), "stream");
}

function kindOf(cells: readonly unknown[]): "boolean" | "integer" | "number" | "bytes" | "text" {
  const present = cells.filter((cell) => cell !== null);
  const all = (test: (cell: unknown) => boolean) => present.length > 0 && present.every(test);
  if (all((cell) => typeof cell === "boolean")) return "boolean";
  if (all((cell) => cell instanceof Uint8Array)) return "bytes";
  if (
    all(
      (cell) => (typeof cell === "bigint" && BigInt.asIntN(64, cell) === cell) || Number.isSafeInteger(cell),
    )
  )
    return "integer";
  return all((cell) => typeof cell === "number" || typeof cell === "bigint") ? "number" : "text";
}

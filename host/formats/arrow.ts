/** Arrow IPC streams: a table's own, or one made from a list of records. */
import type { Data, Field, Table } from "apache-arrow";
import { MediaValue, TableValue } from "../../runtime/value.ts";
import { geoMetadata } from "./geo-metadata.ts";
import { jsonText } from "./json.ts";
import { type Columns, columnsOf, readArrow } from "./table.ts";
import { describeValue, isObject, UnsuitableError } from "./values.ts";

/** Encodes a table or a list of records. @throws UnsuitableError for anything else. */
export async function encodeArrow(value: unknown): Promise<Uint8Array> {
  if (value instanceof TableValue) return withGeometries(value);
  if (value instanceof MediaValue && value.type === "application/vnd.apache.arrow.stream") return value.bytes;
  const table = await columnsOf(value);
  if (!table) throw new UnsuitableError(`it is ${describeValue(value)}`);
  return recordsToArrow(table);
}

/**
 * The table's stream, whose schema says which columns are geometries: by the key `geo` and as extension types
 * (https://geoarrow.org/extension-types), as some readers look for the one, and some for the other.
 */
async function withGeometries(value: TableValue): Promise<Uint8Array> {
  const geo = geoMetadata(value);
  if (geo === null) return value.ipc;
  const [arrow, table] = await Promise.all([import("apache-arrow"), readArrow(value)]);
  const systems = isObject(value.meta.columns) ? value.meta.columns : {};
  const fields = table.schema.fields.map((field) => {
    if (!Object.hasOwn(systems, field.name)) return field;
    const crs = systems[field.name];
    const about =
      crs === null ? {} : { crs, crs_type: typeof crs === "string" ? "authority_code" : "projjson" };
    const metadata = new Map(field.metadata)
      .set("ARROW:extension:name", "geoarrow.wkb")
      .set("ARROW:extension:metadata", JSON.stringify(about));
    return field.clone({ metadata });
  });
  const metadata = new Map(table.schema.metadata).set("geo", geo);
  return rewritten(arrow, table, { fields, metadata }, (column) => column);
}

/** The stream of a table with another schema. @param convert gives the column that stands in place of one */
export function rewritten(
  arrow: typeof import("apache-arrow"),
  { schema, batches }: Table,
  { fields, metadata }: { fields: Field[]; metadata: Map<string, string> },
  convert: (column: Data, index: number) => Data,
): Uint8Array {
  const changed = new arrow.Schema(fields, metadata, schema.dictionaries, schema.metadataVersion);
  const converted = batches.map(({ numRows, data }) => {
    const children = data.children.map(convert);
    const type = new arrow.Struct(fields);
    return new arrow.RecordBatch(changed, arrow.makeData({ type, length: numRows, nullCount: 0, children }));
  });
  return arrow.tableToIPC(new arrow.Table(changed, converted), "stream");
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

/** Arrow streams of several reads as one table, as a whole or with some of its rows. */
import type { RecordBatch, Table } from "apache-arrow";
import { TableValue } from "../../runtime/value.ts";
import { tableCrs } from "../formats/crs.ts";
import { isObject } from "../formats/values.ts";
import { TableError } from "./errors.ts";

/** Cells of ranges lie together where a table is sorted by them. */
const MOST_PIECES = 20_000;

/** The first and the last cell of a range. */
export type CellRange = readonly [first: bigint, last: bigint];

/**
 * @param streams of one schema @param metadata of the file that they are from
 * @throws TableError where they do not go together
 */
export async function tableOf(
  streams: readonly Uint8Array[],
  metadata: ReadonlyMap<string, string>,
  ranges: readonly CellRange[] | null,
): Promise<TableValue> {
  const arrow = await import("apache-arrow");
  const [only] = streams;
  if (streams.length === 1 && only && !ranges) return described(only, arrow.tableFromIPC(only), metadata);
  const tables = streams.map((stream) => arrow.tableFromIPC(stream));
  const [first] = tables;
  if (!first) return new TableValue(arrow.tableToIPC(new arrow.Table(), "stream"));
  const shape = (table: Table) => table.schema.fields.map(({ name, type }) => `${name}: ${type}`).join(", ");
  const other = tables.find((table) => shape(table) !== shape(first));
  if (other) {
    throw new TableError(
      "no table",
      `Cannot read the table as one: its files have different columns: ${shape(first)}; and ${shape(other)}`,
    );
  }
  const batches = tables.flatMap((table) => table.batches);
  const chosen = ranges ? batches.flatMap((batch) => within(batch, ranges)) : batches;
  if (chosen.length > MOST_PIECES) {
    throw new TableError(
      "full",
      `Cannot read the cells: they lie in more than ${MOST_PIECES} places: the table is not sorted by them`,
    );
  }
  const whole = new arrow.Table(first.schema, chosen.length > 0 ? chosen : batches[0]?.slice(0, 0));
  return described(arrow.tableToIPC(whole, "stream"), whole, metadata);
}

/** The rows whose cells are in one of the ranges, as they lie together. */
function within(batch: RecordBatch, ranges: readonly CellRange[]): RecordBatch[] {
  const cells = batch.getChild("hex");
  const values = cells?.toArray() as ArrayLike<bigint> | undefined;
  if (!cells || !values || (values.length > 0 && typeof values[0] !== "bigint"))
    throw new TableError("no table", "Cannot read cells: the column hex must have integers of 64 bits");
  const isWanted = (row: number) => {
    const cell = BigInt.asUintN(64, values[row] as bigint);
    return cells.isValid(row) && ranges.some(([first, last]) => first <= cell && cell <= last);
  };
  const pieces: RecordBatch[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    if (!isWanted(row)) continue;
    const start = row;
    while (row + 1 < batch.numRows && isWanted(row + 1)) row++;
    pieces.push(batch.slice(start, row + 1));
  }
  return pieces;
}

/** Says of an Arrow stream which of its columns are geometries, as the metadata `geo` has it (GeoParquet). */
function described(ipc: Uint8Array, table: Table, metadata: ReadonlyMap<string, string>): TableValue {
  const isFrame = metadata.has("pandas");
  const geometries = geometriesOf(table, metadata);
  if (!geometries) return new TableValue(ipc, isFrame ? "dataframe" : "arrow");
  const { primary, columns } = geometries;
  return new TableValue(ipc, "geodataframe", { geometry: primary, columns });
}

/** The geometry columns that are well-known binary, by their CRS. */
function geometriesOf(
  { schema }: Table,
  metadata: ReadonlyMap<string, string>,
): { primary: string | null; columns: Record<string, unknown> } | null {
  let geo: unknown;
  try {
    geo = JSON.parse(metadata.get("geo") ?? "null");
  } catch {
    return null;
  }
  if (!isObject(geo) || !isObject(geo.columns)) return null;
  const names = new Set(schema.fields.map(({ name }) => name));
  const found = Object.entries(geo.columns).filter(
    ([name, column]) => names.has(name) && isObject(column) && column.encoding === "WKB",
  );
  if (found.length === 0) return null;
  const columns = Object.fromEntries(
    found.map(([name, column]) => [name, tableCrs(column as Record<string, unknown>)]),
  );
  const primary = String(geo.primary_column);
  return { primary: Object.hasOwn(columns, primary) ? primary : (found[0]?.[0] ?? null), columns };
}

/** Tables and lists of records as columns: one shape for all formats that write rows. */

import type { Table } from "apache-arrow";
import { ResultError } from "../../runtime/errors.ts";
import { TableValue } from "../../runtime/value.ts";
import { isRecords, type Records } from "./values.ts";

export interface Column {
  name: string;
  /** Cells are numbers: aligned to the right. */
  isNumeric: boolean;
  /** Cells are floats, those among them too that are whole numbers. */
  isFloat: boolean;
  /** Cells are well-known binary (bytes or null). */
  isGeometry: boolean;
  /** Reads a cell as a plain value (see cells.ts). Fastest in rising order of rows. */
  get(row: number): unknown;
}

export interface Columns {
  columns: readonly Column[];
  rows: number;
  /** A series or an index without labels: its cells alone are the value. */
  isList: boolean;
}

/** The columns of a table or of a list of records; null for any other value. */
export async function columnsOf(value: unknown): Promise<Columns | null> {
  if (value instanceof TableValue) return readTable(value);
  return isRecords(value) ? recordColumns(value) : null;
}

/** Reads the Arrow stream. @throws ResultError where it is damaged. */
export async function readArrow(value: TableValue): Promise<Table> {
  const { tableFromIPC } = await import("apache-arrow");
  try {
    // The library reads anything that is no stream as a table without columns.
    if (value.ipc.length < 8 || value.ipc.subarray(0, 4).some((byte) => byte !== 0xff))
      throw new Error("it has no header");
    return tableFromIPC(value.ipc);
  } catch (cause) {
    throw new ResultError(`Cannot read a table: its Arrow stream is damaged (${(cause as Error).message})`, {
      path: "result",
    });
  }
}

async function readTable(value: TableValue): Promise<Columns> {
  const [table, cells] = await Promise.all([readArrow(value), import("./cells.ts")]);
  const geometries = geometryNames(value);
  const index = indexColumns(table);
  const columns: Column[] = [];
  table.schema.fields.forEach((field, position) => {
    if (index.dropped.has(field.name)) return;
    const chunks = table.getChildAt(position)?.data ?? [];
    columns.push({
      name: index.renamed.get(field.name) ?? field.name,
      isNumeric: cells.isNumericType(field.type),
      isFloat: cells.isFloatType(field.type),
      isGeometry: geometries.has(field.name) || cells.isGeometryField(field),
      get: chunkedReader(chunks.map((chunk) => ({ length: chunk.length, read: cells.cellReader(chunk) }))),
    });
  });
  if (value.kind === "index" && Array.isArray(value.meta.names)) {
    const { names } = value.meta;
    columns.forEach((column, position) => {
      column.name = String(names[position] ?? column.name);
    });
  }
  // What the index says comes first, as in the frame.
  const { labels = [], others = [] } = Object.groupBy(columns, ({ name }) =>
    index.names.has(name) ? "labels" : "others",
  );
  const ordered = [...index.ranges, ...labels, ...others];
  const isOne = ["series", "geoseries", "index"].includes(value.kind) || value.meta.column !== undefined;
  return { columns: unique(ordered), rows: table.numRows, isList: isOne && ordered.length === 1 };
}

function geometryNames({ meta }: TableValue): Set<string> {
  const { columns } = meta;
  return new Set(columns !== null && typeof columns === "object" ? Object.keys(columns) : []);
}

interface IndexColumns {
  /** Fields that only number the rows. */
  dropped: Set<string>;
  /** Field to the name it is shown under. */
  renamed: Map<string, string>;
  /** Shown names of all index columns that are kept. */
  names: Set<string>;
  /** Named range indexes, which have no field. */
  ranges: Column[];
}

/**
 * Reads pandas' metadata (https://pandas.pydata.org/docs/development/developer.html): a range and an unnamed index of
 * integers only number the rows and are left out; a named index, and labels without a name, are columns.
 */
function indexColumns({ schema }: Table): IndexColumns {
  const found: IndexColumns = { dropped: new Set(), renamed: new Map(), names: new Set(), ranges: [] };
  let pandas: PandasMetadata;
  try {
    pandas = JSON.parse(schema.metadata.get("pandas") ?? "{}");
  } catch {
    return found;
  }
  const fields = new Set(schema.fields.map(({ name }) => name));
  // The first of a name counts.
  const descriptions = new Map(pandas.columns?.toReversed().map((column) => [column.field_name, column]));
  for (const entry of Array.isArray(pandas.index_columns) ? pandas.index_columns : []) {
    if (typeof entry !== "string") {
      if (entry?.kind === "range" && typeof entry.name === "string") found.ranges.push(rangeColumn(entry));
      continue;
    }
    const described = descriptions.get(entry);
    if (!fields.has(entry)) continue;
    const isUnnamed = described ? described.name === null : /^__index_level_\d+__$/.test(entry);
    if (isUnnamed && /^u?int\d+$/.test(described?.pandas_type ?? "")) {
      found.dropped.add(entry);
      continue;
    }
    const name = !isUnnamed ? String(described?.name ?? entry) : fields.has("index") ? "level_0" : "index";
    found.renamed.set(entry, name);
    found.names.add(name);
  }
  return found;
}

interface PandasMetadata {
  index_columns?: (string | { kind?: string; name?: unknown; start?: number; step?: number })[];
  columns?: { name: string | null; field_name?: string; pandas_type?: string }[];
}

function rangeColumn({
  name,
  start = 0,
  step = 1,
}: {
  name?: unknown;
  start?: number;
  step?: number;
}): Column {
  return {
    name: String(name),
    isNumeric: true,
    isFloat: false,
    isGeometry: false,
    get: (row) => start + row * step,
  };
}

/** Reads rows over chunks; the chunk of the last row is looked at first. */
function chunkedReader(
  chunks: { length: number; read: (row: number) => unknown }[],
): (row: number) => unknown {
  let current = 0;
  let start = 0;
  return (row) => {
    if (row < start) current = start = 0;
    for (;;) {
      const chunk = chunks[current];
      if (!chunk) return null;
      if (row < start + chunk.length) return chunk.read(row - start);
      start += chunk.length;
      current++;
    }
  };
}

/** The columns of records: all keys, in the order in which they first appear. */
function recordColumns(records: Records): Columns {
  const names = new Set<string>();
  for (const record of records) for (const name of Object.keys(record)) names.add(name);
  const columns = [...names].map((name): Column => {
    const get = (row: number) => {
      const record = records[row];
      return record && Object.hasOwn(record, name) ? record[name] : null;
    };
    let isNumeric = false;
    for (let row = 0; row < records.length; row++) {
      const cell = get(row) ?? null;
      if (cell === null) continue;
      isNumeric = typeof cell === "number" || typeof cell === "bigint";
      if (!isNumeric) break;
    }
    return { name, isNumeric, isFloat: false, isGeometry: false, get };
  });
  return { columns, rows: records.length, isList: false };
}

/** Arrow allows two columns of one name; no format of rows does. */
function unique(columns: readonly Column[]): Column[] {
  const seen = new Set<string>();
  /** The number that a name gets next. */
  const numbers = new Map<string, number>();
  return columns.map((column) => {
    let name = column.name;
    while (seen.has(name)) {
      const number = numbers.get(column.name) ?? 2;
      numbers.set(column.name, number + 1);
      name = `${column.name}_${number}`;
    }
    seen.add(name);
    return { ...column, name };
  });
}

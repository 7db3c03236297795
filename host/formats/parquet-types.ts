/**
 * What Parquet has no type for: times in whole seconds and dates in milliseconds. The writer would leave them bare integers;
 * here they become the next finer unit, or days, as pyarrow writes them.
 */
import type { Data, DataType } from "apache-arrow";
import type { TableValue } from "../../runtime/value.ts";
import { rewritten } from "./arrow.ts";
import { readArrow } from "./table.ts";

type Arrow = typeof import("apache-arrow");

/**
 * The table's stream as Parquet can hold it, with a `geo` key in its schema where there is one. A table that needs neither
 * is passed on untouched.
 */
export async function prepareForParquet(value: TableValue, geo: string | null): Promise<Uint8Array> {
  const [arrow, table] = await Promise.all([import("apache-arrow"), readArrow(value)]);
  const { schema } = table;
  const types = schema.fields.map((field) => parquetType(arrow, field.type));
  if (geo === null && types.every((type) => type === null)) return value.ipc;
  const fields = schema.fields.map((field, index) => field.clone({ type: types[index] ?? field.type }));
  const metadata = new Map(schema.metadata);
  if (geo !== null) metadata.set("geo", geo);
  return rewritten(arrow, table, { fields, metadata }, (column, index) =>
    convert(arrow, column, types[index] ?? null),
  );
}

/** The type to write in place of another; null where it stays. */
function parquetType({ DataType: types, ...arrow }: Arrow, type: DataType): DataType | null {
  if (types.isTimestamp(type) && type.unit === arrow.TimeUnit.SECOND) {
    return new arrow.TimestampMillisecond(type.timezone);
  }
  if (types.isTime(type) && type.unit === arrow.TimeUnit.SECOND) return new arrow.TimeMillisecond();
  return types.isDate(type) && type.unit === arrow.DateUnit.MILLISECOND ? new arrow.DateDay() : null;
}

function convert({ makeData, DataType: types }: Arrow, column: Data, type: DataType | null): Data {
  if (type === null) return column;
  const { length, nullCount, nullBitmap, values } = column;
  const convertDays = types.isDate(type);
  const data = types.isTimestamp(type)
    ? (values as BigInt64Array).map((seconds) => seconds * 1000n)
    : Int32Array.from(values as ArrayLike<bigint | number>, (value) =>
        convertDays ? Math.floor(Number(value) / 86_400_000) : Number(value) * 1000,
      );
  return makeData({ type, length, nullCount, nullBitmap, data } as Parameters<typeof makeData>[0]);
}

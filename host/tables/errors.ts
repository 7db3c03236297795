/** What can go wrong with tables. */
import { BindingError } from "../../runtime/errors.ts";

/**
 * - `no table`: what lies there is no Parquet file, or no table of ours
 * - `not found`: the file has no such chunk or column
 * - `request`: an argument is wrong
 * - `full`: it is larger than the host reads at once
 */
export type TableErrorCode = "no table" | "not found" | "request" | "full";

/** A failure to read a table. A UDF may see its text. */
export class TableError extends BindingError<TableErrorCode> {
  override readonly name = "TableError";
}

/**
 * What chunks a table has: the file `_sample` of its folder says it, in the metadata `fused:format_version` (5) and `fused:_metadata`
 * (base64 of a Parquet file with a row a chunk). A writer may have put them into the footer, or into the Arrow schema that is in there.
 */
import { TableValue } from "../../runtime/value.ts";
import { columnsOf } from "../formats/table.ts";
import { fromBase64, readSchema } from "./arrow-schema.ts";
import { TableError } from "./errors.ts";
import { ARROW_SCHEMA, Footer, footerLength, TAIL_BYTES } from "./footer.ts";
import type { TableFile } from "./table-file.ts";

const MOST_CHUNKS = 500_000;
const BOX = ["bbox_minx", "bbox_miny", "bbox_maxx", "bbox_maxy"];

/** A row of the list: `file_id`, `chunk_id`, the box of its data in degrees, and whatever else the writer put there. */
export type Chunk = Record<string, unknown>;

/** The metadata of a file, those in its Arrow schema before those of the footer. */
export async function metadataOf({ footer }: TableFile): Promise<ReadonlyMap<string, string>> {
  const schema = footer.keyValues.get(ARROW_SCHEMA);
  const inSchema = schema === undefined ? null : await readSchema(schema);
  return inSchema ? new Map([...footer.keyValues, ...inSchema.metadata]) : footer.keyValues;
}

/** Reads the list. @param sample the file `_sample` of a table's folder @throws TableError */
export async function readChunks(sample: TableFile): Promise<Chunk[]> {
  const refuse = (why: string): never => {
    throw new TableError("no table", `Cannot read ${sample.url}: ${why}`);
  };
  const metadata = await metadataOf(sample);
  const version = metadata.get("fused:format_version");
  const encoded = metadata.get("fused:_metadata");
  if (version === undefined || encoded === undefined) return refuse("it does not have Fused metadata");
  if (version !== "4" && version !== "5")
    return refuse(`it has an incompatible metadata version: ${version.slice(0, 20)} is neither 4 nor 5`);
  let parquet = new Uint8Array();
  try {
    parquet = fromBase64(encoded);
  } catch {
    refuse("its metadata is no base64");
  }
  if (version === "4") {
    // It has 20 bytes of its own there.
    parquet.copyWithin(20, 40);
    parquet = parquet.subarray(0, Math.max(0, parquet.length - 20));
  }
  const end = Math.max(0, parquet.length - TAIL_BYTES);
  const length = footerLength(parquet.subarray(end), sample.url);
  const footer = new Footer(parquet.subarray(Math.max(0, end - length), end), sample.url);
  const rows = footer.rowGroups.reduce((sum, group) => sum + group.rows, 0);
  if (rows > MOST_CHUNKS)
    throw new TableError(
      "full",
      `Cannot read ${sample.url}: it has ${rows} chunks, the most is ${MOST_CHUNKS}`,
    );
  const missing = BOX.find((name) => !footer.columns.includes(name));
  if (missing !== undefined) refuse(`its list of chunks has no column ${missing}`);
  const table = await columnsOf(new TableValue(await sample.read(parquet)));
  const columns = table?.columns ?? [];
  return Array.from({ length: table?.rows ?? 0 }, (_, row) =>
    Object.fromEntries(columns.map(({ name, get }) => [name, get(row) ?? null])),
  );
}

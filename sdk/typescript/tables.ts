/** Tables that ingestion has written, as a TypeScript UDF reads them: folders of Parquet files, whose row groups are their chunks. */
import type { TableValue } from "../../runtime/value.ts";
import { door } from "./door.ts";

/** A chunk of a table. Columns that the table's writer added are there beside these. */
export interface TableChunk {
  file_id: string;
  chunk_id: number;
  /** The box of its data, in degrees; null where it has none. */
  bbox_minx: number | null;
  bbox_miny: number | null;
  bbox_maxx: number | null;
  bbox_maxy: number | null;
  [column: string]: unknown;
}

/**
 * The chunks of a table. Needs the permission `read` for its folder.
 * @param url the folder: a place of the storage, as `api` has them
 * @throws an Error named TableError for what is no such table; StorageError where there is nothing; PermissionDeniedError
 */
export async function getChunksMetadata(url: string): Promise<TableChunk[]> {
  return (await door.call("tables.chunks", url)) as TableChunk[];
}

/**
 * The rows of a chunk, as an Arrow table that says which of its columns are geometries (well-known binary; EPSG:4326 where the file names
 * no other system). Needs the permission `read` for the folder.
 * @param fileId as `getChunksMetadata` has it; null reads `url` itself, a Parquet file
 * @param chunkId as `getChunksMetadata` has it; null reads all chunks of the file
 * @param options `columns`: those to read. Default: all
 * @throws an Error named TableError where there is no such chunk or column, or it is no Parquet file; StorageError; PermissionDeniedError
 */
export async function getChunkFromTable(
  url: string,
  fileId: string | number | null,
  chunkId: number | null,
  { columns = null }: { columns?: readonly string[] | null } = {},
): Promise<TableValue> {
  return (await door.call("tables.chunk", url, fileId, chunkId, columns)) as TableValue;
}

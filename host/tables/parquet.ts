/** What reads Parquet. The files may be anybody's. */

/** A reader of whole files that lie in memory, with a memory of its own that has a limit. */
export interface ParquetReader {
  /**
   * @returns an Arrow IPC stream
   * @throws ParquetBroke where the file broke the reader, which is not used again; any other error for a file that cannot be read
   */
  read(file: Uint8Array): Uint8Array;
}

/** A file did to the reader what no file should: it is thrown away. */
export class ParquetBroke extends Error {}

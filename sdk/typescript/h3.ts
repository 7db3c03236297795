/** Tables of H3 cells: made of rasters or of other tables, and read by ranges of cells. */
import type { TableValue } from "../../runtime/value.ts";
import { door } from "./door.ts";
import { ingestHere, wireNames } from "./ingest.ts";

type Metric = "cnt" | "avg" | "min" | "max" | "stddev" | "mode" | "sum";

/** What making a table of cells has in common. */
interface H3Options {
  /** `"cnt"` alone (how often each value is there), or any of the others. Default: `"cnt"` */
  metrics?: Metric | readonly Metric[];
  /** The resolution of the cells, 0 to 15. */
  res?: number;
  /** The resolution of the cells that chunks are cut by. Default: max(res - 7, fileRes + 2) */
  chunkRes?: number;
  /** The resolution of the cells that files are cut by; -1 makes one file. Default: max(res - 10, 0) */
  fileRes?: number;
  /** The resolutions of the overviews, all below `res`. Default: 3 to min(res - 1, 7) */
  overviewRes?: readonly number[];
  /** The resolution of the overviews' chunks, or one for each. */
  overviewChunkRes?: number | readonly number[];
  /** The most rows of a chunk, instead of `chunkRes`. Default: 0, no limit */
  maxRowsPerChunk?: number;
  /** Deletes what is written on the way. Default: true */
  removeTmpFiles?: boolean;
  /** Replaces what lies at the output. Default: false */
  overwrite?: boolean;
}

const STEPS = ["extract", "partition", "metadata", "overview"] as const;

/** How rasters become a table of cells. */
export interface IngestRasterOptions extends H3Options {
  /** How many rings of cells around that of a pixel's centre get its value. Default: 1 */
  kRing?: number;
  /** By how much finer the cells are to which pixels go first. Default: 1 */
  resOffset?: number;
  /** Has the column `source_url`. Default: true */
  includeSourceUrl?: boolean;
  /** About how many pixels are read at a time; 0 is a file. */
  targetChunkSize?: number;
  /** The value of pixels to leave out. Default: the file's own */
  nodata?: number;
  /** Runs the first part only. Default: false */
  debugMode?: boolean;
  /** Where what is written on the way goes. Default: beside the output */
  tmpPath?: string;
  /** Which steps to run. Default: all */
  steps?: readonly (typeof STEPS)[number][];
  /** Where a step runs: an instance type, or `"local"`; and on how many instances at a time. */
  extractEngine?: string;
  extractMaxWorkers?: number;
  partitionEngine?: string;
  partitionMaxWorkers?: number;
  overviewEngine?: string;
  overviewMaxWorkers?: number;
}

/** How files that have cells already become a table. */
export interface PartitionOptions extends H3Options {
  res: number;
  /** The columns whose values make a group; `hex` is one of them. Default: `["hex"]` */
  groupbyCols?: readonly string[];
  /** The columns with the values. Default: `["data"]` */
  dataCols?: readonly string[];
  /** The columns for whose values totals are counted, with `cnt`. Default: `["hex"]` */
  windowCols?: readonly string[];
  /** Further columns to keep, which have one value in each group, with `cnt`. Default: none */
  additionalCols?: readonly string[];
  /** Whether the input has a column `cnt` of counts, else it has values. Default: true */
  inputRowsAreCounts?: boolean;
}

/** What reading cells took. */
export interface HexTableTiming {
  seconds: number;
  files: number;
  rowGroups: number;
}

const FINEST = 15;

function checkCells({ metrics = "cnt", res, overviewRes = [] }: H3Options): void {
  if (typeof metrics !== "string" && metrics.length > 1 && metrics.includes("cnt"))
    throw new RangeError("Cannot ingest: the metric cnt cannot be combined with others");
  if (res !== undefined && !(Number.isInteger(res) && res >= 0 && res <= FINEST))
    throw new RangeError(`Cannot ingest: res must be from 0 to ${FINEST}: received ${res}`);
  if (res !== undefined && Math.max(...overviewRes) >= res)
    throw new RangeError(`Cannot ingest: overviewRes must be below res, ${res}: received ${overviewRes}`);
}

export const h3 = {
  /**
   * Makes a table of cells of rasters: each pixel goes to the cell of its centre and to the cells around it.
   * @param inputPath the place of a raster, of a folder of them, or several places @param outputPath the place of the table
   * @returns the results of the steps extract and partition
   * @throws RangeError for options that cannot be; an Error where the host cannot ingest
   */
  async runIngestRasterToH3(
    inputPath: string | readonly string[],
    outputPath: string,
    options: IngestRasterOptions = {},
  ): Promise<unknown> {
    const { metrics = "cnt", res, kRing = 1, resOffset = 1, steps = [] } = options;
    const wrong = steps.find((step) => !STEPS.includes(step));
    if (wrong !== undefined)
      throw new RangeError(`Cannot ingest: steps must be of ${STEPS.join(", ")}: received ${wrong}`);
    checkCells(options);
    if (metrics.includes("sum") && kRing !== 1 && resOffset !== 1)
      throw new RangeError("Cannot ingest: the metric sum needs kRing 1 or resOffset 1");
    if (res !== undefined && res + resOffset > FINEST)
      throw new RangeError(
        `Cannot ingest: res and resOffset make ${res + resOffset}: the finest is ${FINEST}`,
      );
    return ingestHere("run_ingest_raster_to_h3", wireNames({ inputPath, outputPath, ...options }));
  },

  /**
   * Makes a table of cells of Parquet files that have the cells in a column `hex` already.
   * @param options `res` must be given
   * @throws RangeError for options that cannot be; an Error where the host cannot ingest
   */
  async runPartitionToH3(
    inputPath: string | readonly string[],
    outputPath: string,
    options: PartitionOptions,
  ): Promise<unknown> {
    if (options?.res === undefined) throw new RangeError("Cannot ingest: res must be given");
    checkCells(options);
    if (options.groupbyCols && !options.groupbyCols.includes("hex"))
      throw new RangeError("Cannot ingest: groupbyCols must have hex");
    return ingestHere("run_partition_to_h3", wireNames({ inputPath, outputPath, ...options }));
  },

  /**
   * The rows of a table whose cells (column `hex`) are in one of several ranges. Needs the permission `read` for its folder. Only the row
   * groups are read whose statistics say that they can have such cells.
   * @param hexRangesList pairs of the first and the last cell of a range, both in it
   * @param options `columns`: those to read, default all (`hex` is always there); `onTiming` is told what it took
   * @throws an Error named TableError for ranges that are none and for a table without cells; StorageError; PermissionDeniedError
   */
  async readHexTable(
    datasetPath: string,
    hexRangesList: readonly (readonly [first: bigint | number, last: bigint | number])[],
    {
      columns = null,
      onTiming,
    }: { columns?: readonly string[] | null; onTiming?: (timing: HexTableTiming) => void } = {},
  ): Promise<TableValue> {
    const begin = performance.now();
    const { table, files, rowGroups } = (await door.call(
      "tables.cells",
      datasetPath,
      hexRangesList,
      columns,
    )) as {
      table: TableValue;
      files: number;
      rowGroups: number;
    };
    onTiming?.({ seconds: (performance.now() - begin) / 1000, files, rowGroups });
    return table;
  },

  /**
   * Writes an index of a table of cells, with which it is read without a server.
   * @param options `metadataPath`: the place of the index, default beside the table; `rowGroupSize`: rows of its groups, default 500;
   *   `indexedColumns`: default the first one with cells; `poolSize`: how many files are read at a time, default 10
   * @returns the place of the index @throws an Error where the host cannot ingest
   */
  async persistHexTableMetadata(
    datasetPath: string,
    options: {
      metadataPath?: string;
      rowGroupSize?: number;
      indexedColumns?: readonly string[];
      poolSize?: number;
      metadataCompressionLevel?: number;
    } = {},
  ): Promise<string> {
    return (await ingestHere("persist_hex_table_metadata", wireNames({ datasetPath, ...options }))) as string;
  },
};

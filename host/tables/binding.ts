/** The binding `tables`: reads tables that ingestion has written, a chunk at a time. */
import { showReceived } from "../../runtime/show.ts";
import type { Binding, Call } from "../host.ts";
import { type Chunk, metadataOf, readChunks } from "./chunks.ts";
import { TableError } from "./errors.ts";
import type { RowGroup } from "./footer.ts";
import { type CellRange, tableOf } from "./rows.ts";
import { Readers, TableFile, type TablesOptions } from "./table-file.ts";

const MOST_COLUMNS = 10_000;
const MOST_RANGES = 10_000;
const MOST_CHARACTERS = 8192;
/** Of the chunks that one answer about cells is read from. */
const MOST_READ_BYTES = 256 * 1024 * 1024;

/**
 * Makes the binding. A table is a folder of the storage: `{file_id}.parquet`, each with a row group a chunk, and `_sample`, which lists them.
 *
 *     chunks(folder)                              -> a list of objects: `file_id`, `chunk_id`, `bbox_minx`, … in degrees
 *     chunk(folder, file, chunk, columns)         -> a table; without a file (null) the place is one itself; without a chunk all of its chunks
 *     cells(folder, [[first, last], …], columns)  -> { table, files, rowGroups }: the rows whose cell (column `hex`) is in one of the ranges
 *
 * `columns` is a list of names, or null for all. All ask for `read` of the files that they read.
 * @throws TableError, StorageError, PermissionDeniedError
 */
export function tablesBinding(options: TablesOptions): Binding {
  const readers = new Readers(options.openReader);
  const inTurn = queues();
  const use = <T>(url: string, call: Call, work: (file: TableFile) => Promise<T>) =>
    TableFile.use(url, call, options, readers, work);
  const chunksOf = (folder: string, call: Call) => use(`${folder}/_sample`, call, readChunks);

  return {
    chunks: ([folder], call) => inTurn(call, () => chunksOf(readFolder(folder), call)),

    chunk([folder, file, chunk, columns], call) {
      const root = readFolder(folder);
      const url = file === null || file === undefined ? root : `${root}/${readFileId(file)}.parquet`;
      const number = chunk === null || chunk === undefined ? null : readNumber(chunk);
      const names = readNames(columns);
      return inTurn(call, () =>
        use(url, call, async (opened) => {
          const wanted = opened.columns(names);
          const numbers = number === null ? [...opened.footer.rowGroups.keys()] : [number];
          return tableOf(await opened.rowGroups(numbers, wanted), await metadataOf(opened), null);
        }),
      );
    },

    cells([folder, given, columns], call) {
      const root = readFolder(folder);
      const ranges = readRanges(given);
      const names = readNames(columns);
      return inTurn(call, async () => {
        const files = ranges.length > 0 ? fileIds(await chunksOf(root, call)) : [];
        const streams: Uint8Array[] = [];
        let metadata: ReadonlyMap<string, string> = new Map();
        let rowGroups = 0;
        let bytes = 0;
        for (const file of files) {
          await use(`${root}/${file}.parquet`, call, async (opened) => {
            const wanted = opened.columns(names && [...new Set([...names, "hex"])]);
            const all = opened.footer.rowGroups;
            const numbers = [...all.keys()].filter((number) => mayHave(all[number] as RowGroup, ranges));
            rowGroups += numbers.length;
            // An empty answer has the table's columns, too.
            const read = numbers.length === 0 && streams.length === 0 ? [...all.keys()].slice(0, 1) : numbers;
            for (const stream of await opened.rowGroups(read, wanted)) {
              streams.push(stream);
              bytes += stream.length;
            }
            if (streams.length > 0 && metadata.size === 0) metadata = await metadataOf(opened);
          });
          if (bytes > MOST_READ_BYTES) {
            throw new TableError(
              "full",
              `Cannot read the cells at once: their chunks have more than ${MOST_READ_BYTES} bytes: ask for fewer ranges`,
            );
          }
        }
        return { table: await tableOf(streams, metadata, ranges), files: files.length, rowGroups };
      });
    },
  };
}

/** One reads at a time for each run: what is read waits in the host's memory. */
function queues(): <T>(call: Call, work: () => Promise<T>) => Promise<T> {
  const last = new WeakMap<AbortSignal, Promise<unknown>>();
  return (call, work) => {
    const started = (last.get(call.signal) ?? Promise.resolve()).then(() => {
      call.signal.throwIfAborted();
      return work();
    });
    last.set(
      call.signal,
      started.catch(() => {}),
    );
    return started;
  };
}

function fileIds(chunks: readonly Chunk[]): string[] {
  return [...new Set(chunks.map(({ file_id }) => readFileId(file_id)))];
}

/** Whether a row group can have cells of one of the ranges; where the file does not say what it has, it can. */
function mayHave({ columns }: RowGroup, ranges: readonly CellRange[]): boolean {
  const range = columns.find(({ name }) => name === "hex")?.range;
  if (range?.min.length !== 8 || range.max.length !== 8) return true;
  const [min, max] = [range.min, range.max].map((bytes) =>
    new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true),
  ) as [bigint, bigint];
  return ranges.some(([first, last]) => min <= last && first <= max);
}

function readFolder(folder: unknown): string {
  if (typeof folder !== "string" || folder === "" || folder.length > MOST_CHARACTERS)
    throw wrong("the place", "a text like s3://bucket/table", folder);
  return folder.endsWith("/") ? folder.slice(0, -1) : folder;
}

/** It becomes a part of a place. */
function readFileId(id: unknown): string {
  const text = typeof id === "number" || typeof id === "bigint" ? String(id) : id;
  if (typeof text !== "string" || !/^[^/\\?#\0]{1,1000}$/.test(text) || /^\.{1,2}$/.test(text))
    throw wrong("file_id", "the name of a file of the table, without .parquet", id);
  return text;
}

function readNumber(chunk: unknown): number {
  if (Number.isSafeInteger(chunk) && (chunk as number) >= 0) return chunk as number;
  throw wrong("chunk_id", "a whole number from 0, or null", chunk);
}

function readNames(columns: unknown): string[] | null {
  if (columns === null || columns === undefined) return null;
  const isList = Array.isArray(columns) && columns.length <= MOST_COLUMNS;
  if (isList && columns.every((name) => typeof name === "string")) return columns;
  throw wrong("columns", `a list of at most ${MOST_COLUMNS} names, or null`, columns);
}

function readRanges(ranges: unknown): CellRange[] {
  if (!Array.isArray(ranges) || ranges.length > MOST_RANGES)
    throw wrong("the ranges", `a list of at most ${MOST_RANGES} pairs of cells`, ranges);
  return ranges.map((pair: unknown) => {
    const [first, last] = Array.isArray(pair) && pair.length === 2 ? pair.map(readCell) : [null, null];
    if (first === null || last === null || first === undefined || last === undefined || first > last)
      throw wrong("a range", "a pair of a first and a last cell", pair);
    return [first, last];
  });
}

function readCell(cell: unknown): bigint | null {
  const value = typeof cell === "bigint" ? cell : Number.isSafeInteger(cell) ? BigInt(cell as number) : null;
  return value !== null && value >= 0n && value < 2n ** 64n ? value : null;
}

function wrong(name: string, rule: string, received: unknown): TableError {
  return new TableError(
    "request",
    `Cannot read a table: ${name} must be ${rule}: received ${showReceived(received)}`,
  );
}

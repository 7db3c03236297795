/** What a run gives back. */
import type { Table } from "apache-arrow";
import { type Encoded, MediaValue, TableValue } from "./value.ts";

/** Milliseconds: until an isolate was ready, of the run itself, of all. */
export interface RunTiming {
  /** Looking for a kept result, and waiting for another run that made it; 0 where the cache was off. */
  cacheMs: number;
  startMs: number;
  /** How long putting the isolate's memory back took before this run; 0 where nothing ran in it before. */
  restoreMs: number;
  runMs: number;
  totalMs: number;
}

/** How a result may be given to others who ask for the same. */
export interface Kept {
  /** Since when it is there: milliseconds since 1970. */
  atMs: number;
  /** The fields of the context that it depends on: `userEmail`, `headers.accept`, `headers` for all of them. */
  fields: readonly string[];
}

interface RunDetails {
  stdout: string;
  stderr: string;
  cached: boolean;
  kept: Kept | null;
  timing: RunTiming;
  bytes: number;
  encoded?: Encoded | null;
}

/** Rows of an Arrow table as plain objects. */
function records(table: Table): Record<string, unknown>[] {
  return table.toArray().map((row) => row.toJSON() as Record<string, unknown>);
}

export class RunResult {
  /** The value with `NdArray`, `TableValue` and `MediaValue` kept: what host/formats takes. */
  readonly raw: unknown;
  /** The result as an Arrow table, where it is one; else null. */
  readonly table: Table | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it came from the cache instead of a run; then output is that of the run which made it. */
  readonly cached: boolean;
  /** Where it is kept for later runs; null where the cache was off, or it depends on what nobody can know of. */
  readonly kept: Kept | null;
  readonly timing: RunTiming;
  /** How large the result was when it came from the isolate. */
  readonly bytes: number;
  /** The value as it came from the isolate, for formats that tell 6.0 from 6; null where it came from elsewhere. */
  readonly encoded: Encoded | null;
  #value: { is: unknown } | undefined;

  private constructor(
    raw: unknown,
    table: Table | null,
    { stdout, stderr, cached, kept, timing, bytes, encoded = null }: RunDetails,
  ) {
    this.raw = raw;
    this.table = table;
    this.stdout = stdout;
    this.stderr = stderr;
    this.cached = cached;
    this.kept = kept;
    this.timing = timing;
    this.bytes = bytes;
    this.encoded = encoded;
  }

  /** Loads Arrow where the value is a table. @throws ResultError when its bytes are no Arrow. */
  static async of(raw: unknown, details: RunDetails): Promise<RunResult> {
    const table = raw instanceof TableValue ? await readTable(raw) : null;
    return new RunResult(raw, table, details);
  }

  /**
   * The result as plain JavaScript: JSON values as they are, big integers as bigint, dates and decimals as text, bytes as
   * Uint8Array, a table as a list of records, a finished text document as a string, another document as its bytes.
   */
  get value(): unknown {
    this.#value ??= { is: this.#plain() };
    return this.#value.is;
  }

  /** The media type of a finished document (PNG, HTML, …); else null. */
  get mediaType(): string | null {
    return this.raw instanceof MediaValue ? this.raw.type : null;
  }

  #plain(): unknown {
    if (this.table) return records(this.table);
    if (this.raw instanceof MediaValue) {
      return this.raw.type.startsWith("text/") ? new TextDecoder().decode(this.raw.bytes) : this.raw.bytes;
    }
    return this.raw;
  }
}

async function readTable(value: TableValue): Promise<Table> {
  const [{ RecordBatchReader, tableFromIPC }, { ResultError }] = await Promise.all([
    import("apache-arrow"),
    import("./errors.ts"),
  ]);
  try {
    // Bytes that end before a schema are an empty table to the reader.
    if (!RecordBatchReader.from(value.ipc).open().schema) throw new Error("it has no schema");
    return tableFromIPC(value.ipc);
  } catch (cause) {
    throw new ResultError(`Cannot read the result: it is no Arrow stream (${(cause as Error).message})`, {
      path: "result",
    });
  }
}

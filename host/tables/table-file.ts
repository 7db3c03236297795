/** A Parquet file of the storage that is read by its row groups. */
import { BindingError } from "../../runtime/errors.ts";
import type { OpenStored } from "../download/binding.ts";
import type { Call } from "../host.ts";
import { withColumns } from "./arrow-schema.ts";
import { TableError } from "./errors.ts";
import { ARROW_SCHEMA, Footer, footerLength, TAIL_BYTES } from "./footer.ts";
import { ParquetBroke, type ParquetReader } from "./parquet.ts";

/** What one call of the binding `files` reads. */
const PART_BYTES = 4 * 1024 * 1024;
const MOST_FOOTER_BYTES = 64 * 1024 * 1024;
/** Of what is read of one file for one answer. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Of what becomes of them, unpacked. */
const MOST_STREAM_BYTES = 256 * 1024 * 1024;
const MOST_ROWS = 10_000_000;
/** A run's user whose files broke so many readers gets no more of them: each leaves a little behind. */
const MOST_BROKEN = 20;

export interface TablesOptions {
  /** Opens a place of the storage for a run, which asks the broker for `read`. */
  open: OpenStored;
  /** Reads and closes what was opened: the methods of the binding `files`. */
  read(file: number, position: number, length: number, call: Call): Promise<Uint8Array>;
  close(file: number, call: Call): Promise<void>;
  openReader(): Promise<ParquetReader>;
}

/** The readers of a host. */
export class Readers {
  readonly #open: TablesOptions["openReader"];
  readonly #broken = new Map<string, number>();
  #reader: Promise<ParquetReader> | undefined;

  constructor(open: TablesOptions["openReader"]) {
    this.#open = open;
  }

  /** @returns an Arrow IPC stream @throws TableError for a file that cannot be read */
  async read(file: Uint8Array, url: string, { principal }: Call): Promise<Uint8Array> {
    const broken = this.#broken.get(principal) ?? 0;
    if (broken >= MOST_BROKEN)
      throw new TableError(
        "request",
        `Cannot read ${url}: ${broken} damaged files were read for ${principal}`,
      );
    this.#reader ??= this.#open();
    const opening = this.#reader;
    try {
      const stream = (await opening).read(file);
      if (stream.length <= MOST_STREAM_BYTES) return stream;
    } catch (error) {
      if (error instanceof ParquetBroke) {
        this.#broken.set(principal, broken + 1);
        if (this.#reader === opening) this.#reader = undefined;
      }
      throw new TableError("no table", `Cannot read ${url}: its Parquet data are damaged (${shown(error)})`, {
        cause: error,
      });
    }
    throw new TableError("full", `Cannot read ${url}: a chunk has more than ${MOST_STREAM_BYTES} bytes`);
  }
}

const shown = (error: unknown) => String((error as Error)?.message ?? error).slice(0, 200);

/** A Parquet file that is open for a run. */
export class TableFile {
  readonly url: string;
  readonly footer: Footer;
  readonly #readers: Readers;
  readonly #call: Call;
  readonly #bytes: (offset: number, length: number) => Promise<Uint8Array>;

  private constructor(parts: {
    url: string;
    footer: Footer;
    readers: Readers;
    call: Call;
    bytes: (offset: number, length: number) => Promise<Uint8Array>;
  }) {
    this.url = parts.url;
    this.footer = parts.footer;
    this.#readers = parts.readers;
    this.#call = parts.call;
    this.#bytes = parts.bytes;
  }

  /** Opens a file, and closes it when `work` is done. @throws TableError, StorageError, PermissionDeniedError */
  static async use<T>(
    url: string,
    call: Call,
    { open, read, close }: TablesOptions,
    readers: Readers,
    work: (file: TableFile) => Promise<T>,
  ): Promise<T> {
    const { file, size } = await open(url, call);
    try {
      const bytes = async (offset: number, length: number): Promise<Uint8Array> => {
        if (offset + length > size) throw new TableError("no table", `Cannot read ${url}: it is cut off`);
        const whole = new Uint8Array(length);
        for (let at = 0; at < length; at += PART_BYTES) {
          const part = await read(file, offset + at, Math.min(PART_BYTES, length - at), call);
          whole.set(part, at);
        }
        return whole;
      };
      if (size < TAIL_BYTES + 4)
        throw new TableError("no table", `Cannot read ${url}: it is no Parquet file`);
      const length = footerLength(await bytes(size - TAIL_BYTES, TAIL_BYTES), url);
      if (length > size - TAIL_BYTES) throw new TableError("no table", `Cannot read ${url}: it is cut off`);
      if (length > MOST_FOOTER_BYTES)
        throw new TableError(
          "full",
          `Cannot read ${url}: its footer has more than ${MOST_FOOTER_BYTES} bytes`,
        );
      const footer = new Footer(await bytes(size - TAIL_BYTES - length, length), url);
      return await work(new TableFile({ url, footer, readers, call, bytes }));
    } finally {
      await close(file, call).catch((error: unknown) => {
        if (!(error instanceof BindingError)) throw error;
      });
    }
  }

  /**
   * The names of the file's columns that are wanted, and of those that a frame's index needs.
   * @param names null is all @throws TableError for one that the file does not have
   */
  columns(names: readonly string[] | null): readonly string[] | null {
    if (names === null) return null;
    const missing = names.find((name) => !this.footer.columns.includes(name));
    if (missing !== undefined) {
      const known = this.footer.columns.slice(0, 50).join(", ");
      throw new TableError(
        "not found",
        `Cannot read ${this.url}: it has no column ${missing}: it has ${known}`,
      );
    }
    return names;
  }

  /** Reads a row group. @param columns null is all @returns an Arrow IPC stream @throws TableError */
  async rowGroup(number: number, columns: readonly string[] | null): Promise<Uint8Array> {
    const group = this.footer.rowGroups[number];
    if (!group) {
      throw new TableError(
        "not found",
        `Cannot read ${this.url}: it has no chunk ${number}: there are ${this.footer.rowGroups.length}`,
      );
    }
    const names = new Set(columns ?? this.footer.columns);
    const bytes = group.columns.reduce((sum, column) => sum + (names.has(column.name) ? column.bytes : 0), 0);
    if (bytes > MOST_BYTES || group.rows > MOST_ROWS) {
      throw new TableError(
        "full",
        `Cannot read chunk ${number} of ${this.url}: it has ${group.rows} rows in ${bytes} bytes, and at most ${MOST_ROWS} in ${MOST_BYTES} are read at once`,
      );
    }
    // What is answered before goes first: nothing large waits in the host.
    await this.#call.taken();
    const known = this.footer.keyValues.get(ARROW_SCHEMA) ?? null;
    const schema = known === null || columns === null ? known : await withColumns(known, names);
    return this.#readers.read(
      await this.footer.fileOf(number, names, schema, this.#bytes),
      this.url,
      this.#call,
    );
  }

  /** Reads several row groups, one after the other. @throws TableError */
  async rowGroups(numbers: readonly number[], columns: readonly string[] | null): Promise<Uint8Array[]> {
    const groups = numbers.map((number) => this.footer.rowGroups[number]);
    const bytes = groups.reduce(
      (sum, group) => sum + (group?.columns.reduce((all, column) => all + column.bytes, 0) ?? 0),
      0,
    );
    if (bytes > 4 * MOST_BYTES) {
      throw new TableError(
        "full",
        `Cannot read ${this.url} at once: ${numbers.length} chunks have ${bytes} bytes, and at most ${4 * MOST_BYTES} are read: read chunk by chunk`,
      );
    }
    const streams: Uint8Array[] = [];
    for (const number of numbers) streams.push(await this.rowGroup(number, columns));
    return streams;
  }

  /** What a damaged file does is known to the reader alone. */
  read(parquet: Uint8Array): Promise<Uint8Array> {
    return this.#readers.read(parquet, this.url, this.#call);
  }
}

import {
  Dictionary,
  Float64,
  Int32,
  Table,
  tableFromIPC,
  tableToIPC,
  Uint64,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import * as parquet from "parquet-wasm";
import { beforeAll, describe, expect, test } from "vitest";
import type { TableValue } from "../../runtime/value.ts";
import type { Call } from "../host.ts";
import { StorageError } from "../storage/errors.ts";
import { tablesBinding } from "./binding.ts";
import { openParquetReader } from "./parquet.node.ts";

const files = new Map<string, Uint8Array>();
let opened: { url: string; read: [number, number][]; isOpen: boolean }[] = [];

const binding = tablesBinding({
  async open(url) {
    const file = files.get(url);
    if (!file) throw new StorageError("not found", `There is no ${url}`);
    opened.push({ url, read: [], isOpen: true });
    return { file: opened.length - 1, size: file.length };
  },
  async read(number, position, length) {
    const file = opened[number] as (typeof opened)[number];
    expect(file.isOpen).toBe(true);
    file.read.push([position, length]);
    return (files.get(file.url) as Uint8Array).slice(position, position + length);
  },
  async close(number) {
    (opened[number] as (typeof opened)[number]).isOpen = false;
  },
  openReader: openParquetReader,
});

const callOf = (principal = "me") =>
  ({ principal, signal: new AbortController().signal, taken: async () => {} }) as unknown as Call;
const ask = (method: string, ...args: unknown[]) =>
  Promise.resolve().then(() => binding[method]?.(args, callOf()));

function write(
  columns: Record<string, Vector>,
  {
    rowGroup = 1000,
    metadata = {},
    compression = parquet.Compression.ZSTD,
  }: { rowGroup?: number; metadata?: Record<string, string>; compression?: parquet.Compression } = {},
): Uint8Array {
  const table = parquet.Table.fromIPCStream(tableToIPC(new Table(columns), "stream"));
  const properties = new parquet.WriterPropertiesBuilder()
    .setMaxRowGroupSize(rowGroup)
    .setCompression(compression)
    .setKeyValueMetadata(new Map(Object.entries(metadata)))
    .build();
  return parquet.writeParquet(table, properties);
}

const numbers = (values: readonly number[]) => vectorFromArray(values, new Float64());
const texts = (values: readonly string[]) => vectorFromArray(values, new Utf8());
const cells = (values: readonly bigint[]) => vectorFromArray(values, new Uint64());
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

const BASE = 0x8928308280000000n >> 1n;

/** Two files of two chunks each, cells that rise. */
function writeTable(folder: string, metadata: Record<string, string> = {}) {
  const rows: { file: string; first: number }[] = [
    { file: "a", first: 0 },
    { file: "b", first: 4 },
  ];
  for (const { file, first } of rows) {
    const at = [0, 1, 2, 3].map((i) => first + i);
    files.set(
      `${folder}/${file}.parquet`,
      write(
        {
          hex: cells(at.map((i) => BASE + BigInt(i))),
          name: texts(at.map((i) => `row ${i}`)),
          kind: vectorFromArray(
            at.map((i) => (i % 2 ? "odd" : "even")),
            new Dictionary(new Utf8(), new Int32()),
          ),
          value: numbers(at.map((i) => i / 2)),
        },
        { rowGroup: 2, metadata },
      ),
    );
  }
  const chunks = write({
    file_id: texts(["a", "a", "b", "b"]),
    chunk_id: vectorFromArray([0, 1, 0, 1], new Int32()),
    bbox_minx: numbers([0, 1, 2, 3]),
    bbox_miny: numbers([0, 0, 0, 0]),
    bbox_maxx: numbers([1, 2, 3, 4]),
    bbox_maxy: numbers([1, 1, 1, 1]),
  });
  files.set(
    `${folder}/_sample`,
    write(
      { x: numbers([1]) },
      { metadata: { "fused:format_version": "5", "fused:_metadata": base64(chunks) } },
    ),
  );
}

const rowsOf = (value: unknown) => {
  const { ipc } = value as TableValue;
  return tableFromIPC(ipc)
    .toArray()
    .map((row) => ({ ...row.toJSON() }));
};

beforeAll(() => writeTable("fd://t"));

describe("chunks", () => {
  test("lists the chunks of a table", async () => {
    const chunks = (await ask("chunks", "fd://t/")) as Record<string, unknown>[];
    expect(chunks).toHaveLength(4);
    expect(chunks[3]).toEqual({
      file_id: "b",
      chunk_id: 1,
      bbox_minx: 3,
      bbox_miny: 0,
      bbox_maxx: 4,
      bbox_maxy: 1,
    });
    expect(opened.every(({ isOpen }) => !isOpen)).toBe(true);
  });
  test("says what is wrong with what is no table", async () => {
    await expect(ask("chunks", "fd://nothing")).rejects.toMatchObject({ code: "not found" });
    files.set("fd://text/_sample", new TextEncoder().encode("hello, this is no Parquet"));
    await expect(ask("chunks", "fd://text")).rejects.toMatchObject({ name: "TableError", code: "no table" });
    files.set("fd://plain/_sample", write({ x: numbers([1]) }));
    await expect(ask("chunks", "fd://plain")).rejects.toThrow("it does not have Fused metadata");
    const metadata = { "fused:format_version": "6", "fused:_metadata": "" };
    files.set("fd://newer/_sample", write({ x: numbers([1]) }, { metadata }));
    await expect(ask("chunks", "fd://newer")).rejects.toThrow("6 is neither 4 nor 5");
    const boxless = base64(write({ file_id: texts(["a"]) }));
    files.set(
      "fd://boxless/_sample",
      write({ x: numbers([1]) }, { metadata: { "fused:format_version": "5", "fused:_metadata": boxless } }),
    );
    await expect(ask("chunks", "fd://boxless")).rejects.toThrow("no column bbox_minx");
  });
});

describe("chunk", () => {
  test("reads one row group, and no other bytes of the file", async () => {
    opened = [];
    expect(rowsOf(await ask("chunk", "fd://t", "b", 1, ["name", "value"]))).toEqual([
      { name: "row 6", value: 3 },
      { name: "row 7", value: 3.5 },
    ]);
    const [{ read, isOpen }] = opened as [(typeof opened)[number]];
    expect(isOpen).toBe(false);
    const bytes = files.get("fd://t/b.parquet") as Uint8Array;
    const data =
      bytes.length - 8 - new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true);
    const ofData = read.filter(([position]) => position < data);
    expect(ofData).toHaveLength(2);
    expect(ofData.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(data / 2);
  });
  test("reads whole files, as they are written by others", async () => {
    for (const compression of [
      parquet.Compression.SNAPPY,
      parquet.Compression.GZIP,
      parquet.Compression.LZ4_RAW,
    ]) {
      files.set(
        "fd://one.parquet",
        write(
          { a: numbers([1, 2, 3, 4, 5]), b: texts(["x", "y", "z", "x", "y"]) },
          { rowGroup: 2, compression },
        ),
      );
      expect(
        rowsOf(await ask("chunk", "fd://one.parquet", null, null, null)).map(({ a, b }) => `${a}${b}`),
      ).toEqual(["1x", "2y", "3z", "4x", "5y"]);
    }
    expect(rowsOf(await ask("chunk", "fd://t", "a", null, null)).map(({ kind }) => kind)).toEqual([
      "even",
      "odd",
      "even",
      "odd",
    ]);
  });
  test("knows geometries", async () => {
    const geo = JSON.stringify({
      version: "1.0.0",
      primary_column: "name",
      columns: { name: { encoding: "WKB", geometry_types: [] }, gone: { encoding: "WKB" } },
    });
    writeTable("fd://geo", { geo });
    const value = (await ask("chunk", "fd://geo", "a", 0, null)) as TableValue;
    expect(value).toMatchObject({
      kind: "geodataframe",
      meta: { geometry: "name", columns: { name: "EPSG:4326" } },
    });
    expect(((await ask("chunk", "fd://geo", "a", 0, ["value"])) as TableValue).kind).toBe("arrow");
  });
  test("refuses what it is not", async () => {
    await expect(ask("chunk", "fd://t", "a", 9, null)).rejects.toThrow("it has no chunk 9: there are 2");
    await expect(ask("chunk", "fd://t", "zz", 0, null)).rejects.toMatchObject({ code: "not found" });
    await expect(ask("chunk", "fd://t", "a", 0, ["nope"])).rejects.toThrow(
      "it has no column nope: it has hex",
    );
    for (const id of ["../secret", "..", "a/b", "a?b", "", {}, true])
      await expect(ask("chunk", "fd://t", id, 0, null)).rejects.toMatchObject({ code: "request" });
    for (const number of [-1, 1.5, "0", []])
      await expect(ask("chunk", "fd://t", "a", number, null)).rejects.toMatchObject({ code: "request" });
    for (const columns of ["hex", [1], {}])
      await expect(ask("chunk", "fd://t", "a", 0, columns)).rejects.toMatchObject({ code: "request" });
    await expect(ask("chunk", 5, "a", 0, null)).rejects.toMatchObject({ code: "request" });
  });
});

describe("cells", () => {
  const of = async (ranges: unknown, columns: unknown = null) => {
    const answer = (await ask("cells", "fd://t", ranges, columns)) as {
      table: TableValue;
      files: number;
      rowGroups: number;
    };
    return { ...answer, rows: rowsOf(answer.table) };
  };
  test("reads the rows of ranges from the row groups that can have them", async () => {
    const {
      rows,
      files: count,
      rowGroups,
    } = await of([
      [BASE + 1n, BASE + 2n],
      [BASE + 7n, BASE + 100n],
    ]);
    expect(rows.map(({ name }) => name)).toEqual(["row 1", "row 2", "row 7"]);
    expect([count, rowGroups]).toEqual([2, 3]);
  });
  test("knows the columns of an empty answer", async () => {
    const { table, rows, rowGroups } = await of([[1, 2]], ["value"]);
    expect(rows).toEqual([]);
    expect(rowGroups).toBe(0);
    expect(tableFromIPC(table.ipc).schema.fields.map(({ name }) => name)).toContain("value");
    expect((await of([])).rows).toEqual([]);
  });
  test("refuses ranges that are none", async () => {
    for (const ranges of [
      null,
      "x",
      [1],
      [[1]],
      [[2, 1]],
      [[-1, 1]],
      [["a", "b"]],
      [[1n, 2n ** 64n]],
      [[1.5, 2]],
    ])
      await expect(of(ranges)).rejects.toMatchObject({ code: "request" });
    writeTable("fd://nohex");
    files.set("fd://nohex/a.parquet", write({ x: numbers([1]) }));
    await expect(ask("cells", "fd://nohex", [[1, 2]], null)).rejects.toThrow(/hex/);
  });
});

test("damaged files are errors of their own: the host lives, and others are served", async () => {
  const whole = files.get("fd://t/a.parquet") as Uint8Array;
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 150; seed++) {
    const damaged = whole.slice(0, seed % 10 === 0 ? whole.length - 1 - seed : whole.length);
    for (let i = 0; i < 8; i++) {
      const at = (Math.imul(seed * 8 + i + 1, 2654435761) >>> 0) % damaged.length;
      damaged[at] = (damaged[at] as number) ^ (1 << (i % 8));
    }
    files.set("fd://damaged.parquet", damaged);
    const principal = `user ${seed % 50}`;
    await Promise.resolve(
      binding.chunk?.(["fd://damaged.parquet", null, null, null], callOf(principal)),
    ).then(
      () => outcomes.add("read"),
      (error: Error) => outcomes.add(error.name),
    );
  }
  expect([...outcomes].filter((name) => name !== "read" && name !== "TableError")).toEqual([]);
  expect(outcomes).toContain("TableError");
  expect(rowsOf(await ask("chunk", "fd://t", "b", 0, ["name"]))).toHaveLength(2);
}, 60_000);

test("who breaks readers again and again gets no more of them", async () => {
  const read = async (file: Uint8Array, principal: string): Promise<string> => {
    files.set("fd://damaged.parquet", file);
    return Promise.resolve(
      binding.chunk?.(["fd://damaged.parquet", null, null, null], callOf(principal)),
    ).then(
      () => "read",
      (error: Error) => error.message,
    );
  };
  const whole = files.get("fd://t/a.parquet") as Uint8Array;
  let damaged = whole;
  for (let at = 4; at < whole.length; at++) {
    damaged = whole.slice();
    damaged[at] = (damaged[at] as number) ^ 0x5a;
    if (/unreachable/.test(await read(damaged, `finder ${at}`))) break;
  }
  const messages: string[] = [];
  for (let i = 0; i < 22; i++) messages.push(await read(damaged, "mallory"));
  expect(messages.filter((message) => /unreachable/.test(message))).toHaveLength(20);
  expect(messages[21]).toContain("20 damaged files were read for mallory");
  expect(rowsOf(await ask("chunk", "fd://t", "b", 0, ["name"]))).toHaveLength(2);
}, 60_000);

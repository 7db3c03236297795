import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import { buildTable, tableBuilder } from "./columns.ts";
import { ResultError } from "./errors.ts";
import { decodeValue, TableValue } from "./value.ts";

const bytes = (array: ArrayBufferView) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();
const int64 = (...values: bigint[]) => bytes(BigInt64Array.from(values));
const int32 = (...values: number[]) => bytes(Int32Array.from(values));
const text = (value: string) => new TextEncoder().encode(value);

/** A table of columns, and the Arrow table that comes of it. */
function table(columns: unknown[], buffers: Uint8Array[], rows = 3): arrow.Table {
  return arrow.tableFromIPC(buildTable(arrow, { columns, rows, pandas: "{}" }, buffers));
}

const numbers = { name: "a", type: "int64", length: 3, data: 0 };

describe("buildTable() writes", () => {
  it("numbers, missing ones by a bitmap", () => {
    const read = table([{ ...numbers, validity: 1 }], [int64(1n, 2n, 3n), Uint8Array.of(0b101)]);
    expect(read.getChild("a")?.toArray()).toEqual(BigInt64Array.of(1n, 2n, 3n));
    expect([...(read.getChild("a") ?? [])]).toEqual([1n, null, 3n]);
  });
  it("numbers that do not lie where their width wants them", () => {
    const shifted = new Uint8Array(25);
    shifted.set(int64(1n, 2n, 3n), 1);
    expect(
      table([numbers], [shifted.subarray(1)])
        .getChild("a")
        ?.toArray(),
    ).toEqual(BigInt64Array.of(1n, 2n, 3n));
  });
  it("texts, lists, structs and categories", () => {
    const read = table(
      [
        { name: "t", type: "utf8", length: 2, offsets: 0, data: 1 },
        {
          name: "l",
          type: "list",
          length: 2,
          offsets: 2,
          children: [{ name: "item", type: "int32", length: 3, data: 3 }],
        },
        {
          name: "s",
          type: "struct",
          length: 2,
          children: [{ name: "x", type: "bool", length: 2, data: 4 }],
        },
        {
          name: "c",
          type: "dictionary",
          codes: "int8",
          length: 2,
          data: 5,
          ordered: true,
          dictionary: { type: "large_utf8", length: 2, offsets: 6, data: 7 },
        },
      ],
      [
        int32(0, 1, 3),
        text("abc"),
        int32(0, 3, 3),
        int32(7, 8, 9),
        Uint8Array.of(1),
        Uint8Array.of(1, 0),
        int64(0n, 1n, 2n),
        text("xy"),
      ],
      2,
    );
    expect(JSON.parse(JSON.stringify(read.toArray()))).toEqual([
      { t: "a", l: [7, 8, 9], s: { x: true }, c: "y" },
      { t: "bc", l: [], s: { x: false }, c: "x" },
    ]);
  });
  it("times with their unit and zone, and metadata of fields and table", () => {
    const when = { name: "w", type: "timestamp", unit: "ns", timezone: "Europe/Berlin", length: 3, data: 0 };
    const { schema } = table([{ ...when, metadata: { k: "v" } }], [int64(1n, 2n, 3n)]);
    expect(String(schema.fields[0]?.type)).toBe("Timestamp<NANOSECOND, Europe/Berlin>");
    expect(schema.fields[0]?.metadata).toEqual(new Map([["k", "v"]]));
    expect(schema.metadata).toEqual(new Map([["pandas", "{}"]]));
  });
  it("rows without columns", () => {
    expect(table([], [], 5).numCols).toBe(0);
  });
});

const list = (child: object, at = 0) => ({
  name: "a",
  type: "list",
  length: 3,
  offsets: at,
  children: [{ name: "item", ...child }],
});
const codes = { name: "a", type: "dictionary", codes: "int8", length: 3, data: 0 };
const words = { type: "utf8", length: 2, offsets: 1, data: 2 };
const dictionary = [int32(0, 1, 2), text("ab")];

function nested(depth: number): object {
  let node: object = { name: "n", type: "null", length: 3 };
  for (let level = 0; level < depth; level++)
    node = { name: "n", type: "struct", length: 3, children: [node] };
  return node;
}

const HOSTILE: Record<string, [columns: unknown, buffers: Uint8Array[], rows?: unknown]> = {
  "no list of columns": [{}, []],
  "a column that is no object": [[3], []],
  "a column without a name": [[{ type: "null", length: 3 }], []],
  "rows that are no number": [[], [], "3"],
  "negative rows": [[], [], -1],
  "more rows than 32 bits": [[], [], 2 ** 31],
  "half a row": [[], [], 1.5],
  "a column of other length": [[{ ...numbers, length: 2 }], [int64(1n, 2n)]],
  "a buffer that is not there": [[{ ...numbers, data: 1 }], [int64(1n, 2n, 3n)]],
  "a buffer by a name": [[{ ...numbers, data: "length" }], [int64(1n, 2n, 3n)]],
  "no buffer": [[{ name: "a", type: "int64", length: 3 }], []],
  "a short buffer": [[numbers], [int64(1n, 2n)]],
  "a long buffer": [[numbers], [int64(1n, 2n, 3n, 4n)]],
  "a large length and a small buffer": [[{ ...numbers, length: 2e9 }], [int64(1n)], 2e9],
  "a buffer used twice": [[numbers, { ...numbers, name: "b" }], [int64(1n, 2n, 3n)]],
  "a short bitmap": [[{ ...numbers, validity: 1 }], [int64(1n, 2n, 3n), new Uint8Array(0)]],
  "an unknown type": [[{ ...numbers, type: "int128" }], [int64(1n, 2n, 3n)]],
  "a type from the prototype": [[{ ...numbers, type: "constructor" }], [int64(1n, 2n, 3n)]],
  "an unknown unit": [[{ ...numbers, type: "timestamp", unit: "toString" }], [int64(1n, 2n, 3n)]],
  "a zone that is none": [
    [{ ...numbers, type: "timestamp", unit: "s", timezone: "<b>" }],
    [int64(1n, 2n, 3n)],
  ],
  "a decimal of no digits": [
    [{ ...numbers, type: "decimal", precision: 0, scale: 0, width: 16 }],
    [new Uint8Array(48)],
  ],
  "a decimal of another width": [
    [{ ...numbers, type: "decimal", precision: 5, scale: 0, width: 2 ** 30 }],
    [new Uint8Array(48)],
  ],
  "values without bytes": [[{ ...numbers, type: "fixed_size_binary", width: 0 }], [new Uint8Array(0)]],
  "offsets that fall": [[{ ...numbers, type: "utf8", offsets: 1 }], [text("abc"), int32(0, 3, 2, 3)]],
  "offsets below zero": [[{ ...numbers, type: "utf8", offsets: 1 }], [text("abc"), int32(-1, 0, 1, 3)]],
  "offsets beyond the data": [[{ ...numbers, type: "utf8", offsets: 1 }], [text("abc"), int32(0, 1, 2, 4)]],
  "offsets that start late": [[{ ...numbers, type: "utf8", offsets: 1 }], [text("abc"), int32(1, 1, 2, 3)]],
  "too few offsets": [[{ ...numbers, type: "utf8", offsets: 1 }], [text("abc"), int32(0, 1, 3)]],
  "large offsets beyond the data": [
    [{ ...numbers, type: "large_binary", offsets: 1 }],
    [text("abc"), int64(0n, 1n, 2n, 2n ** 62n)],
  ],
  "a list beyond its items": [
    [list({ type: "int32", length: 2, data: 1 })],
    [int32(0, 1, 2, 9), int32(1, 2)],
  ],
  "a list without items": [[{ ...list({}), children: [] }], [int32(0, 0, 0, 0)]],
  "a list of two kinds": [
    [{ ...list({}), children: [{ name: "a", type: "null", length: 0 }, {}] }],
    [int32(0, 0, 0, 0)],
  ],
  "a struct of other length": [
    [{ name: "a", type: "struct", length: 3, children: [{ name: "x", type: "null", length: 4 }] }],
    [],
  ],
  "too many levels": [[nested(100)], []],
  "far too many levels": [[nested(5000)], []],
  "a code beyond the dictionary": [
    [{ ...codes, dictionary: words }],
    [Uint8Array.of(0, 1, 2), ...dictionary],
  ],
  "a code below zero": [[{ ...codes, dictionary: words }], [Uint8Array.of(0, 1, 255), ...dictionary]],
  "codes of text": [
    [{ ...codes, codes: "utf8", dictionary: words }],
    [Uint8Array.of(0, 1, 1), ...dictionary],
  ],
  "no dictionary": [[codes], [Uint8Array.of(0, 0, 0)]],
  "a dictionary of nothing but missing values": [
    [{ ...codes, dictionary: { type: "null", length: 2e9 } }],
    [Uint8Array.of(0, 0, 0)],
  ],
  "a dictionary of dictionaries": [
    [{ ...codes, dictionary: { ...codes, dictionary: words } }],
    [Uint8Array.of(0, 0, 0), ...dictionary],
  ],
  "metadata that are no texts": [[{ ...numbers, metadata: { k: {} } }], [int64(1n, 2n, 3n)]],
};

describe("buildTable() refuses", () => {
  it.each(Object.entries(HOSTILE))("%s", (_, [columns, buffers, rows = 3]) => {
    const tagged = { columns, rows, pandas: "{}" };
    expect(() => buildTable(arrow, tagged, buffers)).toThrow(ResultError);
  });
  it("metadata that are no text", () => {
    expect(() => buildTable(arrow, { columns: [], rows: 0 }, [])).toThrow("pandas metadata");
  });
  it("codes where nothing is missing, not where it is", () => {
    const missing = { ...codes, dictionary: words, validity: 3 };
    const read = table([missing], [Uint8Array.of(0, 1, 9), ...dictionary, Uint8Array.of(0b011)]);
    expect([...(read.getChild("a") ?? [])]).toEqual(["a", "b", null]);
  });
});

describe("tableBuilder()", () => {
  const spec = {
    $: "columns",
    kind: "series",
    meta: { name: "a" },
    rows: 3,
    pandas: "{}",
    columns: [numbers],
  };
  it("makes tables wherever they lie in a value", async () => {
    const encoded = { text: JSON.stringify([{ x: spec }]), buffers: [int64(1n, 2n, 3n)] };
    const [{ x }] = decodeValue(encoded, await tableBuilder(encoded.text)) as [{ x: TableValue }];
    expect(x).toBeInstanceOf(TableValue);
    expect([x.kind, x.meta]).toEqual(["series", { name: "a" }]);
    expect(arrow.tableFromIPC(x.ipc).numRows).toBe(3);
  });
  it("is not there for values without columns, nor for texts that look like one", async () => {
    expect(await tableBuilder("[1]")).toBeUndefined();
    expect(await tableBuilder(JSON.stringify([JSON.stringify(spec)]))).toBeUndefined();
  });
  it("is needed: decodeValue() alone refuses columns", () => {
    expect(() => decodeValue({ text: JSON.stringify(spec), buffers: [int64(1n, 2n, 3n)] })).toThrow(
      "columns cannot be read here",
    );
  });
  it("leaves kinds of tables checked", async () => {
    const odd = JSON.stringify({ ...spec, kind: "chair" });
    const builder = await tableBuilder(odd);
    expect(() => decodeValue({ text: odd, buffers: [int64(1n, 2n, 3n)] }, builder)).toThrow("kind of table");
  });
});

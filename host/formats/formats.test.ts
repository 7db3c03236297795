import { readFileSync } from "node:fs";
import { tableFromIPC } from "apache-arrow";
import { unzlibSync } from "fflate";
import { readParquet } from "parquet-wasm";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { MediaValue, NdArray, type TableKind, TableValue } from "../../runtime/value.ts";
import { FORMATS, formatResult } from "./formats.ts";

/** Streams that pandas 3.1.1, geopandas 1.2.0 and pyarrow 26.0.1 wrote: fixtures/write_fixtures.py. */
const fixture = (name: string, kind: TableKind = "dataframe", meta = {}) =>
  new TableValue(
    new Uint8Array(readFileSync(new URL(`fixtures/${name}.arrows`, import.meta.url))),
    kind,
    meta,
  );
const geo = (crs: unknown = "EPSG:4326") =>
  fixture("geo", "geodataframe", { geometry: "geometry", columns: { geometry: crs }, index: [] });

const vega = (name: string) =>
  readFileSync(new URL(`../../node_modules/vega-datasets/data/${name}`, import.meta.url));
const bytes = async (...question: Parameters<typeof formatResult>) => (await formatResult(...question)).bytes;
const text = async (...question: Parameters<typeof formatResult>) =>
  new TextDecoder().decode(await bytes(...question));

/** A .npy file. */
function npy(dtype: string, shape: number[], data: { buffer: ArrayBufferLike }, fortran = false): NdArray {
  const header = `{'descr': '${dtype}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${shape.map((n) => `${n},`).join("")}), }`;
  const body = new Uint8Array(data.buffer);
  const file = new Uint8Array(128 + body.length);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  file.set(new TextEncoder().encode(`${header.padEnd(117)}\n`), 10);
  file.set(body, 128);
  return new NdArray(file);
}

describe("json", () => {
  test("keeps digits, and writes null where JSON has no number", async () => {
    const value = {
      a: 9007199254740993n,
      b: [Number.NaN, Infinity, -0, 1e300],
      c: Uint8Array.of(0, 255),
      d: undefined,
    };
    expect(await text(value, "json")).toBe('{"a":9007199254740993,"b":[null,null,0,1e+300],"c":"AP8="}');
    expect(await text(null, "json")).toBe("null");
    expect(await text(undefined, "json")).toBe("null");
    expect(await text({ a: [1, { b: [] }], c: {} }, "json", { pretty: true })).toBe(
      JSON.stringify({ a: [1, { b: [] }], c: {} }, null, 2),
    );
  });
  test("writes every Arrow type", async () => {
    expect(await text(fixture("types"), "json", { pretty: true })).toMatchSnapshot();
  });
  test("drops what only numbers the rows, and keeps labels", async () => {
    expect(await text(fixture("chunks"), "json")).toBe('[{"n":1},{"n":2},{"n":3}]');
    expect(await text(fixture("filtered"), "json")).toBe('[{"a":1},{"a":3}]');
    expect(await text(fixture("named"), "json")).toBe('[{"key":"x","a":1},{"key":"y","a":2}]');
    expect(await text(fixture("labels"), "json")).toBe('[{"index":"x","a":1},{"index":"y","a":2}]');
    expect(await text(fixture("multi"), "json")).toBe('[{"k":"x","n":1,"a":1},{"k":"y","n":2,"a":2}]');
    expect(await text(fixture("named_range"), "json")).toBe('[{"i":10,"a":1},{"i":12,"a":2}]');
    expect(await text(fixture("filtered", "series", { name: "a" }), "json")).toBe("[1,3]");
    expect(await text({ inner: fixture("chunks") }, "json")).toBe('{"inner":[{"n":1},{"n":2},{"n":3}]}');
  });
  test("writes arrays as nested lists", async () => {
    expect(await text(npy("<i8", [2, 2], BigInt64Array.of(1n, 2n, 3n, 2n ** 62n)), "json")).toBe(
      "[[1,2],[3,4611686018427387904]]",
    );
    expect(await text(npy("<f8", [], Float64Array.of(1.5)), "json")).toBe("1.5");
    expect(await text(npy("|b1", [2], Uint8Array.of(0, 1)), "json")).toBe("[false,true]");
    expect(await text(npy("<i4", [2, 3], Int32Array.of(1, 4, 2, 5, 3, 6), true), "json")).toBe(
      "[[1,2,3],[4,5,6]]",
    );
    await expect(text(npy("<c8", [1], Float32Array.of(1, 2)), "json")).rejects.toThrow("its dtype is <c8");
  });
  test("refuses damaged data without filling the memory", async () => {
    await expect(text(new TableValue(Uint8Array.of(1, 2, 3)), "json")).rejects.toThrow(/Cannot/);
    await expect(text(npy("<f8", [2 ** 31, 0], new Float64Array(0)), "json")).rejects.toThrow("its shape is");
    const many = npy("|u1", [3e7], new Uint8Array(3e7));
    await expect(text(many, "json")).rejects.toThrow("its shape is");
    const large = new Uint8Array(2 ** 27 + 1);
    for (const value of [large, [large], new MediaValue("image/png", large)])
      await expect(text(value, "json")).rejects.toThrow("at most 134217728 can be");
    await expect(text(npy("|u1", [1000], new Uint8Array(3)), "json")).rejects.toThrow("cut off");
  });
});

describe("csv", () => {
  test("quotes by RFC 4180 and tells missing from empty", async () => {
    const rows = [
      { a: 'x,"y"\nz', b: null, c: Number.NaN },
      { a: "", b: { n: [1] }, c: -Infinity },
    ];
    expect(await text(rows, "csv")).toBe('a,b,c\r\n"x,""y""\nz",,\r\n"","{""n"":[1]}",-inf\r\n');
    expect(await text([{ a: null }], "csv")).toBe('a\r\n""\r\n');
    expect(await text([{ a: 1 }, { __proto__: null, b: 2 }], "csv")).toBe("a,b\r\n1,\r\n,2\r\n");
  });
  test("writes every Arrow type", async () => {
    expect(await text(fixture("types"), "csv")).toMatchSnapshot();
    expect(await text(geo(), "csv")).toMatchSnapshot();
  });
  test("writes real data", async () => {
    const movies = JSON.parse(vega("movies.json").toString());
    const lines = (await text(movies, "csv")).split("\r\n");
    expect(lines).toHaveLength(movies.length + 2);
    expect(lines[1]).toBe("The Land Girls,146083,146083,,8000000,Jun 12 1998,R,,Gramercy,,,,,,6.1,1071");
  });
});

describe("geojson", () => {
  test("writes all geometries of a geodataframe", async () => {
    expect(await text(geo(), "geojson")).toMatchSnapshot();
  });
  test("names a coordinate system that is not WGS 84", async () => {
    expect(JSON.parse(await text(geo("EPSG:3857"), "geojson")).crs.properties.name).toBe(
      "urn:ogc:def:crs:EPSG::3857",
    );
    await expect(text(geo({ type: "ProjectedCRS" }), "geojson")).rejects.toThrow("use to_crs(4326)");
  });
  test("passes GeoJSON and makes collections", async () => {
    const point = { type: "Point", coordinates: [1, 2] };
    const feature = { type: "Feature", properties: {}, geometry: point };
    expect(JSON.parse(await text(point, "geojson"))).toEqual(point);
    expect(JSON.parse(await text([feature], "geojson"))).toEqual({
      type: "FeatureCollection",
      features: [feature],
    });
    expect(JSON.parse(await text(feature, "geojson")).features).toHaveLength(1);
    const earthquakes = JSON.parse(vega("earthquakes.json").toString());
    expect(JSON.parse(await text(earthquakes, "geojson"))).toEqual(earthquakes);
  });
});

describe("parquet and arrow", () => {
  const roundTrip = async (value: unknown) =>
    tableFromIPC(readParquet(await bytes(value, "parquet")).intoIPCStream());
  test("write records with the narrowest types", async () => {
    const rows = [
      { i: 1, f: 1.5, t: "a", b: true, m: 1, n: null },
      { i: 2n ** 60n, f: 2, t: "ü", b: null, m: "x", n: null },
    ];
    for (const table of [await roundTrip(rows), tableFromIPC(await bytes(rows, "arrow"))]) {
      expect(table.schema.fields.map((field) => `${field.name} ${field.type}`)).toEqual([
        "i Int64",
        "f Float64",
        "t Utf8",
        "b Bool",
        "m Utf8",
        "n Utf8",
      ]);
      expect(table.getChild("i")?.get(1)).toBe(2n ** 60n);
      expect(table.getChild("m")?.toArray()).toEqual(["1", "x"]);
    }
  });
  test("parquet keeps the types of a table; whole seconds become milliseconds", async () => {
    const before = tableFromIPC(fixture("types").ipc);
    const after = await roundTrip(fixture("types"));
    const types = (table: typeof after) =>
      Object.fromEntries(table.schema.fields.map((field) => [field.name, String(field.type)]));
    expect(types(after)).toEqual({
      ...types(before),
      ts_s: "Timestamp<MILLISECOND>",
      date64: "Date32<DAY>",
      time_s: "Time32<MILLISECOND>",
    });
    expect(after.getChild("ts_s")?.get(0)).toBe(1767323045000);
    expect(after.schema.metadata.get("geo")).toBeUndefined();
  });
  test("parquet writes GeoParquet", async () => {
    const file = await bytes(geo(), "parquet");
    const metadata = tableFromIPC(readParquet(file).intoIPCStream()).schema.metadata.get("geo") ?? "";
    const wgs84 = expect.objectContaining({ name: "WGS 84", id: { authority: "EPSG", code: 4326 } });
    expect(JSON.parse(metadata)).toEqual({
      version: "1.1.0",
      primary_column: "geometry",
      columns: { geometry: { encoding: "WKB", geometry_types: [], crs: wgs84 } },
    });
    // Once in the footer, as text, beside the embedded schema, which is base64.
    expect(new TextDecoder("latin1").decode(file)).toContain('"primary_column":"geometry"');
  });
  test("arrow passes a table's own stream", async () => {
    const table = fixture("types");
    expect(await bytes(table, "arrow")).toBe(table.ipc);
  });
});

describe("html", () => {
  test("escapes", async () => {
    const page = await text([{ "<a>": '<script>"&', n: 1 }], "html");
    expect(page).toContain('<th>&lt;a&gt;</th><th class="n">n</th>');
    expect(page).toContain('<td>&lt;script&gt;&quot;&amp;</td><td class="n">1</td>');
  });
  test("passes texts and documents", async () => {
    expect(await text("<p>hi</p>", "html")).toBe("<p>hi</p>");
    expect(await text(new MediaValue("text/html; charset=utf-8", Uint8Array.of(60)), "html")).toBe("<");
  });
});

describe("png and tiff", () => {
  const pixels = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => i * 14);
  /** Undoes the filters of a PNG with one IDAT chunk. */
  function decodePng(png: Uint8Array): {
    width: number;
    height: number;
    colorType: number;
    samples: number[];
  } {
    const view = new DataView(png.buffer, png.byteOffset);
    const [width, height, colorType] = [view.getUint32(16), view.getUint32(20), png[25] as number];
    const bands = { 0: 1, 2: 3, 4: 2, 6: 4 }[colorType] as number;
    const data = unzlibSync(png.subarray(41, 41 + view.getUint32(33)));
    const stride = width * bands;
    const samples: number[] = [];
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < stride; column++) {
        const isUp = data[row * (stride + 1)] === 2;
        const other = isUp ? samples[(row - 1) * stride + column] : column < bands ? 0 : samples.at(-bands);
        samples.push(((data[row * (stride + 1) + 1 + column] as number) + (other ?? 0)) & 255);
      }
    }
    return { width, height, colorType, samples };
  }
  test("bands may stand last or first", async () => {
    const last = decodePng(await bytes(npy("|u1", [2, 3, 3], pixels), "png"));
    expect(last).toEqual({ width: 3, height: 2, colorType: 2, samples: [...pixels] });
    const first = Uint8Array.from({ length: 60 }, (_, i) => i * 4);
    const image = decodePng(await bytes(npy("|u1", [3, 4, 5], first), "png"));
    expect([image.width, image.height, image.colorType]).toEqual([5, 4, 2]);
    expect(image.samples.slice(0, 6)).toEqual([0, 80, 160, 4, 84, 164]);
  });
  test("grey, alpha and booleans", async () => {
    expect(decodePng(await bytes(npy("|u1", [6, 3], pixels), "png"))).toMatchObject({
      colorType: 0,
      samples: [...pixels],
    });
    expect(decodePng(await bytes(npy("|b1", [1, 2], Uint8Array.of(0, 1)), "png")).samples).toEqual([0, 255]);
    expect(decodePng(await bytes(npy("|u1", [4, 2, 2], pixels.slice(0, 16)), "png")).colorType).toBe(4);
  });
  test("tiff takes wide samples and any number of bands", async () => {
    const file = await bytes(
      npy(
        "<u2",
        [5, 6, 7],
        Uint16Array.from({ length: 210 }, (_, i) => i * 300),
      ),
      "tiff",
    );
    const view = new DataView(file.buffer, file.byteOffset);
    expect([...file.subarray(0, 4)]).toEqual([0x49, 0x49, 42, 0]);
    const at = view.getUint32(4, true);
    const tags = new Map(
      Array.from({ length: view.getUint16(at, true) }, (_, i) => {
        const entry = at + 2 + 12 * i;
        const isShort = view.getUint16(entry + 2, true) === 3;
        return [
          view.getUint16(entry, true),
          isShort ? view.getUint16(entry + 8, true) : view.getUint32(entry + 8, true),
        ];
      }),
    );
    expect([256, 257, 259, 277, 278].map((tag) => tags.get(tag))).toEqual([7, 6, 8, 5, 6]);
    const strip = unzlibSync(file.subarray(tags.get(273), (tags.get(273) ?? 0) + (tags.get(279) ?? 0)));
    expect([...new Uint16Array(strip.buffer, 0, 6)]).toEqual([0, 12600, 25200, 37800, 50400, 300]);
  });
  test("documents pass, others are refused with what suits", async () => {
    const png = new MediaValue("image/png", Uint8Array.of(1));
    expect(await bytes(png, "png")).toBe(png.bytes);
    await expect(bytes(npy("<f8", [2, 2], new Float64Array(4)), "png")).rejects.toThrow(
      "Cannot write the result as png: its dtype is <f8; scale it to uint8 in the UDF. Formats that suit it: json, tiff, npy, text",
    );
    await expect(bytes(png, "tiff")).rejects.toThrow(
      "it is a document of type image/png. Formats that suit it: png",
    );
  });
});

describe("text", () => {
  test("aligns, cuts and counts", async () => {
    expect(
      await text(
        [
          { name: "a", n: 1 },
          { name: "日本", n: 100.5 },
          { name: "x".repeat(60), n: null },
        ],
        "text",
      ),
    ).toBe(
      `name                                                  n
a                                                     1
日本                                              100.5
${"x".repeat(47)}…\n`,
    );
    const many = Array.from({ length: 1000 }, (_, n) => ({ n }));
    expect((await text(many, "text")).split("\n").slice(-3)).toEqual(["199", "… 1000 rows", ""]);
  });
  test("shows control characters as escapes in tables, and texts as they are", async () => {
    expect(await text([{ a: "x\u001b[2Jy\nz\u202e" }], "text")).toBe("a\nx\\u001b[2Jy\\nz\\u202e\n");
    expect(await text("as\nit is", "text")).toBe("as\nit is");
    expect(await text({ a: [1] }, "text")).toBe('{\n  "a": [\n    1\n  ]\n}');
  });
});

test("npy passes arrays and takes lists of numbers", async () => {
  const array = npy("<f4", [2], Float32Array.of(1, 2));
  expect(await bytes(array, "npy")).toBe(array.npy);
  expect([...new NdArray(await bytes([1, 2.5], "npy")).data]).toEqual([1, 2.5]);
});

test("formatResult() says which formats suit, whatever the value", async () => {
  const values = [
    null,
    1,
    "a",
    [],
    {},
    [1],
    [{ a: 1 }],
    { type: "Point", coordinates: [0, 0] },
    new Uint8Array(1),
    fixture("types"),
    geo(),
    new MediaValue("image/png", new Uint8Array(1)),
    npy("|u1", [2, 2], new Uint8Array(4)),
  ];
  for (const value of values) {
    for (const [name, format] of Object.entries(FORMATS)) {
      const outcome = await formatResult(value, name).catch((error: unknown) => error);
      if (format.suits(value)) expect(outcome).toMatchObject({ mediaType: format.mediaType });
      else if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UsageError);
    }
  }
  await expect(formatResult(1, "xml")).rejects.toThrow('Unknown format "xml": it is one of json, csv,');
  await expect(formatResult(1, "constructor")).rejects.toThrow("Unknown format");
});

test("bytes that are a file of the format already are written as they are, and no others", async () => {
  const files = {
    png: await bytes(npy("|u1", [1, 1], Uint8Array.of(1)), "png"),
    tiff: await bytes(npy("|u1", [1, 1], Uint8Array.of(1)), "tiff"),
    npy: await bytes([1, 2.5], "npy"),
    parquet: await bytes([{ a: 1 }], "parquet"),
  };
  for (const [format, file] of Object.entries(files)) {
    const copy = Uint8Array.from(file);
    expect(await bytes(copy, format)).toBe(copy);
    await expect(bytes(copy.subarray(1), format)).rejects.toThrow(`Cannot write the result as ${format}`);
  }
  await expect(bytes(files.png, "tiff")).rejects.toThrow("Cannot write the result as tiff");
});

test("a table of very many columns with one name is written as fast as any", async () => {
  const { Field, Int8, makeData, RecordBatch, Schema, Struct, Table, tableToIPC } = await import(
    "apache-arrow"
  );
  const fields = Array.from({ length: 20_000 }, () => new Field("a", new Int8(), true));
  const children = fields.map(({ type }) =>
    makeData({ type, length: 1, nullCount: 0, data: new Int8Array(8) }),
  );
  const data = makeData({ type: new Struct(fields), length: 1, nullCount: 0, children });
  const schema = new Schema(fields);
  const ipc = tableToIPC(new Table(schema, [new RecordBatch(schema, data)]), "stream");
  const [header = ""] = (await text(new TableValue(ipc, "dataframe", {}), "csv")).split("\r\n");
  expect(header.split(",").slice(-2)).toEqual(["a_19999", "a_20000"]);
});

import { readFileSync } from "node:fs";
import { unzipSync, unzlibSync } from "fflate";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { MediaValue, NdArray, TableValue } from "../../runtime/value.ts";
import type { FormatName } from "./formats.ts";
import { formatNamed, formatsAccepted, writeResult } from "./negotiate.ts";

const table = (name: string, kind: "dataframe" | "geodataframe", meta = {}) =>
  new TableValue(
    new Uint8Array(readFileSync(new URL(`fixtures/${name}.arrows`, import.meta.url))),
    kind,
    meta,
  );
const geo = (crs = "EPSG:4326") =>
  table("geo", "geodataframe", { geometry: "geometry", columns: { geometry: crs }, index: [] });
const frame = table("chunks", "dataframe");
const vector = NdArray.from(Float64Array.of(1, 2));
/** A .npy file of (2, 3). */
function image(dtype: "|u1" | "<i8"): NdArray {
  const data = dtype === "|u1" ? Uint8Array.of(0, 1, 2, 3, 4, 5) : BigInt64Array.of(0n, 1n, -2n, 3n, 4n, 5n);
  const { npy } = NdArray.from(data);
  const header = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (2, 3), }`;
  npy.set(new TextEncoder().encode(`${header.padEnd(117)}\n`), 10);
  return new NdArray(npy);
}
const picture = image("|u1");
const png = new MediaValue("image/png", Uint8Array.of(1));
const html = new MediaValue("text/html", Uint8Array.of(60));
const bounds = [0, 10, 3, 20];

/** What the published client asks for. */
const CLIENT: FormatName[] = ["npy", "tiff", "parquet", "json"];
const typeOf = async (value: unknown, formats: readonly FormatName[] = [], isFirm = true) =>
  (await writeResult(value, { formats, isFirm })).mediaType.split(";")[0];

describe("writeResult()", () => {
  test.each<[string, unknown, string, string]>([
    ["a number", 7, "application/json", "application/json"],
    ["a text", "a", "application/json", "application/json"],
    ["a page as text", "<!doctype html><p>", "application/json", "text/html"],
    ["a list", [1], "application/json", "application/json"],
    ["records", [{ a: 1 }], "application/json", "application/json"],
    ["a table", frame, "application/vnd.apache.parquet", "application/json"],
    ["a geographic table", geo(), "application/vnd.apache.parquet", "application/geo+json"],
    ["an array", vector, "application/x-numpy-data", "application/x-numpy-data"],
    ["a picture as an array", picture, "application/x-numpy-data", "image/png"],
    ["an array with bounds", [picture, bounds], "image/tiff", "image/tiff"],
    ["a PNG", png, "image/png", "image/png"],
    ["a page", html, "text/html", "text/html"],
    ["bytes", Uint8Array.of(1), "application/json", "application/octet-stream"],
    ["results", { a: frame, b: 1 }, "application/zip", "application/zip"],
  ])("%s", async (_what, value, forClients, forAll) => {
    expect(await typeOf(value, CLIENT)).toBe(forClients);
    expect(await typeOf(value)).toBe(forAll);
  });

  test.each([
    ["text/html", "text/html; charset=utf-8"],
    ["text/html;charset=latin1", "text/html;charset=latin1"],
    ["image/svg+xml", "image/svg+xml"],
    ["text/html\r\nset-cookie: a=b", "application/octet-stream"],
    ["é/x", "application/octet-stream"],
    ["", "application/octet-stream"],
  ])("a document of type %j is sent as %s", async (type, sent) => {
    const { mediaType } = await writeResult(new MediaValue(type, Uint8Array.of(1)), {
      formats: [],
      isFirm: false,
    });
    expect(mediaType).toBe(sent);
  });

  test("nothing has no bytes", async () => {
    expect((await writeResult(null, { formats: ["csv"], isFirm: true })).bytes).toHaveLength(0);
  });

  test("what was asked for counts where it suits", async () => {
    expect(await typeOf([{ a: 1 }], ["csv"])).toBe("text/csv");
    expect(await typeOf(frame, ["json"])).toBe("application/json");
    expect(await typeOf({ a: vector }, ["json"])).toBe("application/json");
    expect(await typeOf("a", ["html"])).toBe("text/html");
    expect(await typeOf(png, ["png", "csv"])).toBe("image/png");
  });

  test("one format alone is what it is, or an error; a wish that is not firm is none", async () => {
    await expect(typeOf(7, ["csv"])).rejects.toThrow(UsageError);
    await expect(typeOf(7, ["csv"])).rejects.toThrow("Formats that suit it: json, text");
    expect(await typeOf(7, ["csv"], false)).toBe("application/json");
    expect(await typeOf(frame, ["geojson", "png"])).toBe("application/json");
    expect(await typeOf(frame, ["png", "csv"], false)).toBe("text/csv");
  });

  test("bytes that are a picture already are sent as one where pictures are wished for", async () => {
    const drawn = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
    expect(await typeOf(drawn, ["png", "parquet"], false)).toBe("image/png");
    expect(await typeOf(drawn, ["tiff"], false)).toBe("application/octet-stream");
  });
});

test("formats go by several names", () => {
  expect(["tif", "PNG", "pbf", "constructor", "jpg"].map(formatNamed)).toEqual([
    "tiff",
    "png",
    "mvt",
    undefined,
    undefined,
  ]);
});

test("a table is JSON where that is wanted before other formats that suit it", async () => {
  expect(await typeOf(frame, ["json", "csv"], false)).toBe("application/json");
  expect(await typeOf(frame, ["csv", "json"], false)).toBe("text/csv");
});

test("a header Accept names formats in the order of its weights", () => {
  expect(formatsAccepted("text/csv;q=0.5, text/html, audio/*;q=0.9, application/json;q=0")).toEqual([
    "html",
    "csv",
  ]);
  expect(formatsAccepted("image/avif,image/webp,image/*,*/*;q=0.8")).toEqual(["png"]);
  expect(formatsAccepted("*/*")).toEqual([]);
});

describe("archives", () => {
  test("have a list of what their members are, which say so in turn", async () => {
    const value = { t: frame, n: vector, s: "é", b: Uint8Array.of(1), none: null, in: { x: png } };
    const files = unzipSync((await writeResult(value, { formats: CLIENT, isFirm: true })).bytes);
    const meta = JSON.parse(new TextDecoder().decode(files["meta.json"]));
    const listed = meta.files as Record<string, { content_type: string }>;
    const types = Object.entries(listed).map(([name, file]) => [name, file.content_type]);
    expect(Object.fromEntries(types)).toEqual({
      t: "application/octet-stream",
      n: "application/x-numpy-data",
      s: "application/json",
      b: "application/x-bytes",
      none: "application/json",
      in: "application/zip",
    });
    expect(files.n).toEqual(vector.npy);
    expect(new TextDecoder().decode(files.s)).toBe('"é"');
    expect(files.none).toHaveLength(0);
  });

  test.each(["../x", "/x", "a\\b", "", "meta.json"])("%j is no name of a member", async (name) => {
    await expect(typeOf({ [name]: frame }, CLIENT)).rejects.toThrow("cannot be the name of a member");
  });
});

describe("vector tiles", () => {
  const tile = { z: 0, x: 0, y: 0 };
  const point = (coordinates: number[]) => ({
    type: "Feature",
    properties: { a: 1 },
    geometry: { type: "Point", coordinates },
  });

  /** The fields of a protobuf message that have a length, by number. */
  function* fieldsOf(bytes: Uint8Array): Generator<[field: number, value: Uint8Array]> {
    let at = 0;
    const varint = () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++] as number;
        value |= (byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.length) {
      const tag = varint();
      if ((tag & 7) === 0) varint();
      else {
        const length = varint();
        yield [tag >> 3, bytes.subarray(at, at + length)];
        at += length;
      }
    }
  }

  /** Names of the layers and their numbers of features. */
  function layersOf(bytes: Uint8Array): Record<string, number> {
    const layers = [...fieldsOf(bytes)].map(([, layer]) => {
      const fields = [...fieldsOf(layer)];
      const name = fields.find(([field]) => field === 1)?.[1];
      return [new TextDecoder().decode(name), fields.filter(([field]) => field === 2).length] as const;
    });
    return Object.fromEntries(layers);
  }

  test("have what lies in them", async () => {
    const value = { type: "FeatureCollection", features: [point([10, 10]), point([-10, -10])] };
    const wish = { formats: ["mvt"] as const, isFirm: true };
    const of = async (tile: object) =>
      layersOf((await writeResult(value, { ...wish, tile: tile as never })).bytes);
    expect(await of(tile)).toEqual({ udf: 2 });
    expect(await of({ z: 1, x: 1, y: 0 })).toEqual({ udf: 1 });
    expect((await of({ z: 5, x: 0, y: 0 })).udf ?? 0).toBe(0);
    expect(layersOf((await writeResult(geo(), { ...wish, tile })).bytes)).toHaveProperty("udf");
  });

  test("need a tile, and longitudes and latitudes", async () => {
    await expect(typeOf(geo(), ["mvt"])).rejects.toThrow("needs x, y and z");
    await expect(writeResult(geo("EPSG:3857"), { formats: ["mvt"], isFirm: true, tile })).rejects.toThrow(
      "to_crs(4326)",
    );
  });
});

describe("tiff", () => {
  /** Tags of a file as numbers, or text. */
  function tagsOf(file: Uint8Array): Map<number, unknown> {
    const view = new DataView(file.buffer, file.byteOffset);
    const at = view.getUint32(4, true);
    return new Map<number, unknown>(
      Array.from({ length: view.getUint16(at, true) }, (_, i): [number, unknown] => {
        const entry = at + 2 + 12 * i;
        const [tag, type] = [view.getUint16(entry, true), view.getUint16(entry + 2, true)];
        const count = view.getUint32(entry + 4, true);
        const size = ({ 2: 1, 3: 2, 4: 4, 12: 8 }[type] as number) * count;
        const from = size > 4 ? view.getUint32(entry + 8, true) : entry + 8;
        if (type === 2) return [tag, new TextDecoder().decode(file.subarray(from, from + count - 1))];
        const read = (index: number) =>
          type === 3
            ? view.getUint16(from + 2 * index, true)
            : type === 4
              ? view.getUint32(from + 4 * index, true)
              : view.getFloat64(from + 8 * index, true);
        return [tag, Array.from({ length: count }, (_, index) => read(index))];
      }),
    );
  }

  test("is written as an array alone where that is asked for", async () => {
    const array = image("<i8");
    const { bytes } = await writeResult([array, bounds], { formats: ["npy"], isFirm: true });
    expect(bytes).toEqual(array.npy);
  });

  test("says what the array was, and where it lies", async () => {
    const { bytes } = await writeResult([image("<i8"), bounds], { formats: ["tiff"], isFirm: true });
    const tags = tagsOf(bytes);
    expect([...tags.keys()]).toEqual([...tags.keys()].sort((a, b) => a - b));
    expect(tags.get(42_112)).toBe(
      [
        "<GDALMetadata>",
        '  <Item name="orig_type" domain="fused">numpy.ndarray</Item>',
        '  <Item name="shape" domain="fused">[2,3]</Item>',
        '  <Item name="bounds" domain="fused">[0,10,3,20]</Item>',
        "</GDALMetadata>\n",
      ].join("\n"),
    );
    expect([tags.get(33_550), tags.get(33_922)]).toEqual([
      [1, 5, 0],
      [0, 0, 0, 0, 20, 0],
    ]);
    expect((tags.get(34_735) as number[]).at(-1)).toBe(4326);
    const [[at], [length]] = [tags.get(273), tags.get(279)] as [[number], [number]];
    expect([...new BigInt64Array(unzlibSync(bytes.subarray(at, at + length)).buffer, 0, 6)]).toEqual([
      0n,
      1n,
      -2n,
      3n,
      4n,
      5n,
    ]);
  });

  test("names no coordinate system where the bounds are no degrees", async () => {
    const { bytes } = await writeResult([picture, [0, 0, 5000, 5000]], { formats: ["tiff"], isFirm: true });
    expect(tagsOf(bytes).has(34_735)).toBe(false);
    expect(tagsOf(bytes).has(33_550)).toBe(true);
  });
});

import { describe, expect, test } from "vitest";
import { bodyOf, sourceFromBody } from "./udf-body.ts";

const CODE = "@fused.udf\ndef udf():\n    return 1\n";
const read = (body: Record<string, unknown>) =>
  sourceFromBody(JSON.stringify({ code: CODE, ...body }), "slug");

describe("the body of a UDF", () => {
  test("is the source that runs", () => {
    const source = read({
      name: "Named",
      type: "geopandas_v2",
      entrypoint: "udf",
      headers: [{ module_name: "a.b", source_code: "x = 1", source_file: "/home/ada/a/b.py" }],
      parameters: { a: 1 },
      metadata: { "fused:id": "1" },
    });
    expect(source).toMatchObject({
      name: "Named",
      language: "python",
      code: CODE,
      file: "Named.py",
      headers: [{ moduleName: "a.b", code: "x = 1", file: "a/b.py" }],
      metadata: { "fused:id": "1" },
      saved: { entrypoint: "udf", parameters: { a: 1 } },
    });
    expect(sourceFromBody(bodyOf(source, "udf"), "slug")).toEqual(source);
    expect(read({ name: null }).name).toBe("slug");
    expect(read({ collection_name: "maps" }).collection).toBe("maps");
    for (const collection_name of ["default", "a/b", "", 1, null])
      expect(read({ collection_name })).not.toHaveProperty("collection");
    expect(
      read({ headers: [{ module_name: "m", source_code: "", source_file: "lib/m.py" }] }).headers[0]?.file,
    ).toBe("lib/m.py");
  });

  test("of a TypeScript UDF says so", () => {
    const source = {
      ...sourceFromBody(JSON.stringify({ code: "export const main = () => 1;" }), "slug"),
      headers: [
        { moduleName: "lib/geo", code: "export {}", file: "lib/geo.ts" },
        { moduleName: "data.json", code: "{}", file: "data.json" },
      ],
    };
    expect(source.language).toBe("typescript");
    const body = bodyOf({ ...source, code: "main()" }, "main");
    expect(JSON.parse(body).metadata).toEqual({ "fuselet:language": "typescript" });
    expect(sourceFromBody(body, "slug")).toMatchObject({ language: "typescript", headers: source.headers });
  });

  test.each([
    ["no code", { code: 1 }],
    ["empty code", { code: " " }],
    ["an entrypoint that is no name", { entrypoint: "a b" }],
    ["an entrypoint that is no text", { entrypoint: 1 }],
    ["headers that are no list", { headers: {} }],
    ["too many headers", { headers: Array(1001).fill({ module_name: "m", source_code: "" }) }],
    ["a header without its code", { headers: [{ module_name: "m", source_file: "/etc/hostname" }] }],
    ["a header that is no module", { headers: [{ module_name: "../m", source_code: "" }] }],
    ["a header twice", { headers: Array(2).fill({ module_name: "m", source_code: "" }) }],
    ["a language that is none", { metadata: { "fuselet:language": "cobol" } }],
    ["an age that is none", { cache_max_age: -1 }],
  ])("with %s is refused", (_what, fields) => {
    expect(() => read(fields)).toThrow(/^Cannot (read|load)/);
  });

  test.each([
    `{"code":"1","metadata":${"[".repeat(2000)}`,
    `{"code":"1","metadata":[${"1,".repeat(2_000_001)}`,
  ])("too large in memory is none, case %#", (text) => {
    expect(() => sourceFromBody(text, "slug")).toThrow(/nested deeper|more than/);
  });

  test.each(["", "{", "[]", "null", '"text"'])("%j is none", (text) => {
    expect(() => sourceFromBody(text, "slug")).toThrow("Cannot read the UDF");
  });
});

import { expect, test } from "vitest";
import { stepReader } from "./udf-reader.ts";

const code = "@fused.udf\ndef udf(x=1):\n  return x";
const step = (udf: object) => JSON.stringify({ type: "udf", udf, n_processes: null });
const read = stepReader();

test("a step is read as clients send it", () => {
  const udf = {
    name: "twice",
    type: "geopandas_v2",
    code,
    headers: [{ module_name: "lib.geo", source_code: "a = 1", source_file: "/home/ada/lib/geo.py" }],
    metadata: { "fused:id": "abc" },
    entrypoint: "udf",
    cache_max_age: 60,
    parameters: { x: "3" },
  };
  expect(read(step(udf))).toEqual({
    source: {
      name: "twice",
      language: "python",
      code,
      file: "twice.py",
      headers: [{ moduleName: "lib.geo", code: "a = 1", file: "lib/geo.py" }],
      metadata: { "fused:id": "abc", cacheMaxAge: 60 },
      saved: { entrypoint: "udf" },
    },
    parameters: { x: "3" },
    savedId: "abc",
  });
});

test("the same text is the same source again, whatever its parameters", () => {
  const { source } = read(step({ code, parameters: { x: 1 } }));
  expect(read(step({ code, parameters: { x: 2 } })).source).toBe(source);
  expect(read(step({ code, entrypoint: "udf" })).source).not.toBe(source);
  for (let i = 0; i < 1100; i++) read(step({ code: `${code} + ${i}` }));
  expect(read(step({ code })).source).not.toBe(source);
});

test.each(["{", "[]", "null", '{"type":"file"}', '{"type":"udf"}', step({})])("%s is no step", (text) => {
  expect(() => read(text)).toThrow("Cannot read the UDF");
});

test.each([{ cache_max_age: -1 }, { cache_max_age: "1h" }, { entrypoint: "a b" }, { headers: 1 }])(
  "a UDF with %j is none",
  (wrong) => {
    expect(() => read(step({ code, ...wrong }))).toThrow("Cannot read the UDF");
  },
);

test("one that would be too large in memory is none", () => {
  const deep = `{"type":"udf","udf":{"code":"1","metadata":${"[".repeat(2000)}${"]".repeat(2000)}}}`;
  expect(() => read(deep)).toThrow("in step_config, it is nested deeper");
});

test("integers among the parameters keep all their digits", () => {
  const text = step({ code, parameters: { a: 0, b: [1.5, 1e300, 7], c: "12345678901234567890" } });
  const { parameters } = read(text.replace('"a":0', '"a":1152921504606846977'));
  expect(parameters).toEqual({ a: 1152921504606846977n, b: [1.5, 1e300, 7], c: "12345678901234567890" });
});

test("floats among the parameters stay floats", () => {
  const text = step({ code: "x = 2.0", parameters: { a: 0, b: [1.5, 1e300, 7] } });
  const { parameters } = read(text.replace('"a":0', '"a":{"x":2.0,"y":-1e2,"z":2}'));
  expect(JSON.stringify(parameters)).toBe('{"a":{"x":2.0,"y":-1e2,"z":2},"b":[1.5,1e+300,7]}');
});

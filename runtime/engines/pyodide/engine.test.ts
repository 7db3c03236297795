import { describe, expect, it } from "vitest";
import { mayGetTables, packagesForFiles, scanRequirements, takesFrames } from "./engine.ts";

const scan = (code: string) => scanRequirements({ code, file: "a.py" });

describe("scanRequirements()", () => {
  it.each([
    ["a block", "# /// script\n# dependencies = ['a']\n# ///\nx = 1\n", ["a"]],
    [
      "one further down, with blank lines in it",
      "x = 1\r\n# /// script\r\n# dependencies = [\r\n#\r\n#   'a',\r\n# ]\r\n# ///\r\n",
      ["a"],
    ],
    ["none", "x = 1\n", []],
    ["one without an end", "# /// script\n# dependencies = ['a']\nx = 1\n# ///\n", []],
    ["one with nothing in it", "# /// script\n# ///\n", []],
    ["one of another kind", "# /// other\n# dependencies = ['a']\n# ///\n", []],
    [
      "one after one without an end",
      "# /// script\n# dependencies = ['a']\n\n# /// script\n# dependencies = ['b']\n# ///\n",
      ["b"],
    ],
  ])("reads %s", async (_what, code, requirements) => {
    expect(await scan(code)).toEqual({ requirements });
  });
  it("names the line of what is no TOML", async () => {
    await expect(scan("\n\n# /// script\n# a b\n# ///\n")).rejects.toThrow(
      /^a\.py, line 3: the script block is no TOML/,
    );
  });
  it("takes a time that grows with the text", async () => {
    expect(await scan("# /// script\n".repeat(40_000))).toEqual({ requirements: [] });
  });
});

describe("mayGetTables()", () => {
  const code = `import fused\n@fused.udf\ndef one(x):\n    return x\n\n@fused.udf\nasync def udf(\n    x,\n):\n    return fused.submit(one, x)\n\ndef after():\n    pass\n`;
  it.each([
    ["a file", code, undefined, true],
    ["the function that does", code, "udf", true],
    ["another one", code, "one", false],
    ["the one behind it", code, "after", false],
    ["one that is not there", code, "nobody", false],
    ["a name that was imported", "from fused import cache, submit\n", undefined, true],
    ["something else's", "executor.submit(1)\nimport fused\n", undefined, false],
    ["a run of another UDF", 'data = fused.run("parent")\n', undefined, true],
    ["one that is loaded", 'parent = fused.load("parent")\n', undefined, true],
    ["a pool", "pool = one.map([1, 2])\nreturn pool.df()\n", undefined, true],
    ["a list that is mapped", "return list(pool.map(str, [1, 2]))\n", undefined, false],
  ])("looks at %s", (_what, text, entrypoint, expected) => {
    expect(mayGetTables(text, entrypoint)).toBe(expected);
  });
});

describe("takesFrames()", () => {
  it.each([
    ["def udf(tile: fused.types.Tile = None): ...", true],
    ["def udf(a: int, *, bounds: fused . types . ViewportGDF): ...", true],
    ["from fused.types import Bounds, TileGDF", true],
    ["def udf(bbox, n: int = 3): ...", true],
    ["def udf(\n    n: int = 3,\n    bounds=None,\n): ...", true],
    ["def udf(bounds: fused.types.Bounds = None): ...", false],
    ["from fused.types import Bounds", false],
    ["class Tile: ...\ndef udf(tile: Tile): ...", false],
    ["def udf(n: int): return bounds(n)", false],
  ])("%j: %s", (code, expected) => expect(takesFrames(code)).toBe(expected));
});

it.each([
  ["pd.read_parquet(path)", ["pyarrow", "fsspec"]],
  ["from pandas import read_feather\nread_feather (path)", ["pyarrow", "fsspec"]],
  ["frame.to_csv('fd://a.csv')", ["fsspec"]],
  ["fused.read_parquet_of = 1", []],
  ["my_read_csv(path)", []],
  ["import pandas as pd\nfused.api.upload(pd.DataFrame(), path)", ["pyarrow"]],
  ["fused.api.upload(b'', path)", []],
])("%j may use %j for its files", (code, packages) => expect(packagesForFiles(code)).toEqual(packages));

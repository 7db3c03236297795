import { describe, expect, test } from "vitest";
import { scanImports } from "./imports.ts";

describe("scanImports", () => {
  test.each([
    ["import numpy", ["numpy"]],
    ["import numpy as np, pandas as pd", ["numpy", "pandas"]],
    ["import os.path, xml.dom.minidom as m", ["os", "xml"]],
    ["from pandas.io import json", ["pandas"]],
    ["from geopandas import (\n    read_file,\n    points_from_xy,\n)", ["geopandas"]],
    ["def udf():\n    import shapely; import h3\n    return 1", ["shapely", "h3"]],
    ["if True: import numpy", ["numpy"]],
    ["import numpy  # import pandas", ["numpy"]],
    ["import \\\n    numpy", ["numpy"]],
    ["from . import helper\nfrom .other import x\nfrom __future__ import annotations", ["__future__"]],
    ['"""\nimport numpy\n"""\nimport pandas', ["pandas"]],
    ['x = \'import numpy\'\ny = "\\"; import h3"', []],
    ["x = r'\\d'; import numpy", ["numpy"]],
    ["important = 1\nreimport = 2", []],
    ["\timport numpy\r\nfrom pandas import *\r\n", ["numpy", "pandas"]],
    ["import numpy\nimport numpy", ["numpy"]],
    ["", []],
  ])("%j", (code, names) => {
    expect(scanImports(code)).toEqual(names);
  });

  test("is done with hostile text, too", () => {
    const text = [`"`.repeat(200_000), "import a,".repeat(20_000), "'''".repeat(50_001)].join("\n");
    expect(scanImports(text)).toBeInstanceOf(Array);
  });
});

import { expect, test } from "vitest";
import { checkLayers, platformOf, sourceFiles } from "./layers.ts";

const dependencies = new Set(["fflate", "@babel/parser"]);
const check = (path: string, text: string) => checkLayers([{ path, text }], dependencies);

test("checkLayers() accepts what the rules allow", () => {
  expect(check("host/net/a.ts", 'import { x } from "../../runtime/errors.ts";')).toEqual([]);
  expect(
    check("host/net/a.node.ts", 'import fs from "node:fs"; import "./b.node.ts"; import "./a.ts";'),
  ).toEqual([]);
  expect(check("sdk/cli/a.ts", 'await import("../typescript/index.node.ts");')).toEqual([]);
  expect(check("host/net/a.test.ts", 'import "node:fs"; import "vitest"; import "./a.node.ts";')).toEqual([]);
  expect(check("host/a.ts", 'import { parse } from "@babel/parser/lib/index.js";')).toEqual([]);
});

test.each([
  ["runtime/a.ts", 'import type { Host } from "../host/host.ts";', "runtime may not import host"],
  ["runtime/a.ts", 'export * from "../sdk/typescript/udf.ts";', "runtime may not import sdk"],
  ["host/a.test.ts", 'import "../sdk/cli/cli.ts";', "host may not import sdk"],
  ["host/a.ts", 'type A = import("../sdk/a.ts").A;', "host may not import sdk"],
  ["host/a.ts", 'import "node:fs";', "a portable file may not import node:fs"],
  ["host/a.ts", 'const f = await import("node:fs");', "a portable file may not import node:fs"],
  ["host/a.browser.ts", 'import "node:fs";', "a browser file may not import node:fs"],
  ["host/a.ts", 'import "./b.node.ts";', "a portable file may not import a node file"],
  ["host/a.browser.ts", 'import "./b.node.ts";', "a browser file may not import a node file"],
  ["host/a.ts", 'import "./b.test.ts";', "a source may not import a test"],
  ["host/a.ts", 'import "../test/layers.ts";', "outside runtime, host and sdk"],
  ["host/a.ts", 'import "left-pad/x";', "left-pad is not in dependencies"],
  ["runtime/engines/quickjs/guest.ts", 'import "fflate";', "guest code"],
  ["runtime/engines/pyodide/guest/main.ts", 'import "../../../channel.ts";', "guest code"],
  ["sdk/typescript/udf.ts", 'import { x } from "../../runtime/pool.ts";', "guest code"],
])("checkLayers() refuses %s with %s", (path, text, why) => {
  const problems = check(path, text);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`${path}:1 imports`);
  expect(problems[0]).toContain(why);
});

test("platformOf() goes by the path", () => {
  expect(
    ["a/b.ts", "a/b.node.ts", "a/b.browser.ts", "a/b.node.test.ts", "sdk/cli/x.ts"].map(platformOf),
  ).toEqual(["portable", "node", "browser", "test", "node"]);
});

test("sourceFiles() finds the sources", () => {
  expect(sourceFiles().map((file) => file.path)).toContain("runtime/errors.ts");
});

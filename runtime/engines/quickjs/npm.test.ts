import { gzipSync, strToU8 } from "fflate";
import { describe, expect, it } from "vitest";
import { unpackNpm } from "./npm-archive.ts";
import { entriesOf, importsEntryOf, replacementOf } from "./npm-exports.ts";
import { packageImports } from "./npm-imports.ts";
import { compareVersions, parseRange, parseVersion, satisfiesRange } from "./npm-semver.ts";
import { parseSpecifier } from "./npm-specifier.ts";

describe("parseSpecifier()", () => {
  it.each([
    ["npm:d3-array", ["d3-array", "", "", true]],
    ["npm:d3-array@3", ["d3-array", "3", "", true]],
    ["npm:@scope/name@^1.2/sub/path.js", ["@scope/name", "^1.2", "sub/path.js", true]],
    ["npm:/name@latest", ["name", "latest", "", true]],
    ["@scope/name/sub", ["@scope/name", "", "sub", false]],
    ["name", ["name", "", "", false]],
  ])("reads %s", (text, [name, range, subpath, isNpm]) => {
    expect(parseSpecifier(text as string)).toEqual({ name, range, subpath, isNpm });
  });
  it.each([
    "npm:",
    "npm:../x",
    "npm:A",
    "npm:@scope",
    "../x",
    "/x",
    "https://example.org/x.js",
    "node:fs",
    "data:text/javascript,1",
  ])("knows no package %s", (text) => {
    expect(parseSpecifier(text)).toBeNull();
  });
});

describe("ranges", () => {
  // As npm's own library answers.
  it.each([
    ["^1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0", "2.0.0-rc.1", "1.3.0-rc.1"]],
    ["^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0", "0.2.2"]],
    ["^0.0.3", ["0.0.3"], ["0.0.4"]],
    ["^0.0", ["0.0.0", "0.0.9"], ["0.1.0"]],
    ["^0", ["0.0.1", "0.9.0"], ["1.0.0"]],
    ["^1.x", ["1.0.0", "1.9.9"], ["2.0.0"]],
    ["~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0"]],
    ["~1.2", ["1.2.0"], ["1.3.0"]],
    ["~1", ["1.9.9"], ["2.0.0"]],
    ["1.2.x", ["1.2.0", "1.2.7"], ["1.3.0"]],
    ["1", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.0"]],
    ["*", ["0.0.0", "9.9.9"], ["1.0.0-a"]],
    ["", ["1.0.0"], []],
    [">=1.2 <3", ["1.2.0", "2.9.9"], ["3.0.0", "1.1.9"]],
    ["> 1.2", ["1.3.0"], ["1.2.9"]],
    ["<=1.2", ["1.2.9"], ["1.3.0"]],
    ["<1.2", ["1.1.9"], ["1.2.0", "1.2.0-rc.1"]],
    ["1.2 - 2.3", ["1.2.0", "2.3.9"], ["2.4.0"]],
    ["1.2.3 - 2.3.4", ["2.3.4"], ["2.3.5"]],
    ["1 || >=3 <3.1", ["1.5.0", "3.0.9"], ["2.0.0", "3.1.0"]],
    ["=1.2.3", ["1.2.3"], ["1.2.4"]],
    ["v1.2.3", ["1.2.3"], []],
    ["^1.2.3-beta.2", ["1.2.3-beta.2", "1.2.3-beta.11", "1.2.3", "1.9.0"], ["1.2.3-beta.1", "1.2.4-beta.3"]],
    [">1.0.0-a <2", ["1.0.0-b", "1.0.0"], ["1.0.0-a", "1.5.0-b"]],
  ])("%s has %j and not %j", (text, inside, outside) => {
    const range = parseRange(text) ?? [];
    const test = (version: string) =>
      satisfiesRange(parseVersion(version) as NonNullable<ReturnType<typeof parseVersion>>, range);
    expect([inside.filter(test), outside.filter(test)]).toEqual([inside, []]);
  });
  it.each([
    "latest",
    "git+https://example.org/x",
    "file:../x",
    "npm:other@1",
    "1.2.3.4",
    ">=a",
    "1".repeat(300),
  ])("%s is none", (text) => {
    expect(parseRange(text)).toBeNull();
  });
  it("orders versions", () => {
    const sorted = [
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-alpha.beta",
      "1.0.0-beta.2",
      "1.0.0-beta.11",
      "1.0.0",
      "1.10.0",
      "2.0.0",
    ];
    const read = (text: string) => parseVersion(text) as NonNullable<ReturnType<typeof parseVersion>>;
    expect([...sorted].reverse().sort((a, b) => compareVersions(read(a), read(b)))).toEqual(sorted);
  });
});

describe("entriesOf()", () => {
  const manifest = {
    exports: {
      ".": { node: "./node.js", import: { types: "./t.d.ts", default: "./esm.js" }, require: "./cjs.js" },
      "./sub": "./lib/sub.js",
      "./parts/*": "./src/*.js",
      "./parts/secret/*": null,
      "./list": [{ deno: "./deno.js" }, "./list.js"],
      "./out": "../out.js",
      "./abs": "/etc/passwd",
    },
  };
  it.each([
    ["", "import", ["esm.js"]],
    ["", "require", ["cjs.js"]],
    ["sub", "import", ["lib/sub.js"]],
    ["parts/a/b", "import", ["src/a/b.js"]],
    ["parts/secret/a", "import", []],
    ["list", "import", ["list.js"]],
    ["lib/sub.js", "import", []],
    ["out", "import", []],
    ["abs", "import", []],
    ["__proto__", "import", []],
  ] as const)("%j by %s", (subpath, kind, expected) => {
    expect(entriesOf(manifest, subpath, kind)).toEqual(expected);
  });
  it("goes by the older fields where there are no exports", () => {
    expect(entriesOf({ main: "./lib", module: "m.js" }, "", "import").slice(0, 2)).toEqual([
      "m.js",
      "m.js.js",
    ]);
    expect(entriesOf({ main: "./lib", module: "m.js" }, "", "require")).toContain("lib/index.js");
    expect(entriesOf({}, "", "import")).toEqual(["index.js"]);
    expect(entriesOf({}, "a/b", "import")).toContain("a/b.js");
  });
  it("reads what stands for files and packages in browsers, and names of its own", () => {
    const browser = { fs: false, "./a.js": "./b.js", c: "./c.js" };
    expect(["fs", "./a.js", "c", "d"].map((name) => replacementOf({ browser }, name))).toEqual([
      false,
      "./b.js",
      "./c.js",
      undefined,
    ]);
    const imports = { "#a": { node: "./n.js", default: "./d.js" }, "#b": "other" };
    expect(["#a", "#b", "#c"].map((name) => importsEntryOf({ imports }, name, "import"))).toEqual([
      "./d.js",
      "other",
      null,
    ]);
  });
});

describe("packageImports()", () => {
  it("finds what is left once types are gone, in all files, and no modules of Node", () => {
    const source = {
      file: "a.ts",
      code: 'import { udf } from "fuselet/udf";\nimport type { A } from "types-only";\nimport { B } from "used-as-type";\nimport c from "npm:c@1";\nimport fs from "fs";\nimport "./x";\nlet b: B;\nexport default () => [c, fs, import("late")];',
      headers: [
        { moduleName: "x", file: "x.js", code: 'export * from "of-a-header/sub";' },
        { moduleName: "y", file: "y.json", code: '"from \\"z\\""' },
      ],
    };
    expect(packageImports(source)).toEqual(["late", "npm:c@1", "of-a-header/sub"]);
  });
});

describe("unpackNpm()", () => {
  const entry = (name: string, content: string, { type = "0", prefix = "" } = {}) => {
    const header = new Uint8Array(512);
    header.set(strToU8(name));
    header.set(strToU8(content.length.toString(8).padStart(11, "0")), 124);
    header[156] = type.charCodeAt(0);
    header.set(strToU8("ustar"), 257);
    header.set(strToU8(prefix), 345);
    const body = new Uint8Array(Math.ceil(content.length / 512) * 512);
    body.set(strToU8(content));
    return [header, body];
  };
  const archive = (...entries: Uint8Array[][]) => {
    const parts = [...entries.flat(), new Uint8Array(1024)];
    const tar = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      tar.set(part, at);
      at += part.length;
    }
    return gzipSync(tar);
  };
  const manifest = entry("package/package.json", "{}");
  it("reads code and JSON, long names too, and nothing else", async () => {
    const long = `${"d/".repeat(60)}e.js`;
    const files = await unpackNpm(
      archive(
        manifest,
        entry("package/a.js", "1"),
        entry("b.mjs", "2", { prefix: "package/sub" }),
        entry("x", `${String(long.length + 18)} path=package/${long}\n`, { type: "x" }),
        entry("package/short", "3"),
        entry("package/link.js", "", { type: "2" }),
        entry("package/read.md", "4"),
      ),
      "it",
    );
    expect([...files.keys()]).toEqual(["package.json", "a.js", "sub/b.mjs", long]);
  });
  it.each([
    ["is no archive", strToU8("no archive"), /is damaged|no package\.json/],
    ["has no package.json", archive(entry("package/a.js", "1")), /no package\.json/],
    [
      "climbs",
      archive(manifest, entry("package/../../a.js", "1")),
      /has the path "package\/\.\.\/\.\.\/a\.js"/,
    ],
    ["is absolute", archive(manifest, entry("package//etc/a.js", "1")), /has the path/],
    [
      "is cut off",
      gzipSync(new Uint8Array(entry("package/package.json", "{}".repeat(400))[0] as Uint8Array)),
      /cut off/,
    ],
  ])("refuses one that %s", async (_what, bytes, message) => {
    await expect(unpackNpm(bytes, "it")).rejects.toThrow(message);
  });
  it("refuses one that grows without end", async () => {
    const bomb = gzipSync(new Uint8Array(257 * 1024 * 1024), { level: 1 });
    await expect(unpackNpm(bomb, "it")).rejects.toThrow(/more than 268435456 bytes/);
  });
});

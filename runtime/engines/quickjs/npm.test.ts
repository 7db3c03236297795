import { gzipSync, strToU8 } from "fflate";
import { describe, expect, it } from "vitest";
import type { Assets } from "../../assets.ts";
import { PermissionDeniedError } from "../../errors.ts";
import type { NpmRegistry, PackageCaller } from "../../packages.ts";
import type { UdfSource } from "../../udf.ts";
import { NpmPackages } from "./npm.ts";
import { npmBudget, unpackNpm } from "./npm-archive.ts";
import { entriesOf, importsEntryOf, replacementOf } from "./npm-exports.ts";
import { packageImports } from "./npm-imports.ts";
import { parseSpecifier } from "./npm-specifier.ts";

const entry = (name: string, content: string, { type = "0", prefix = "" } = {}) => {
  const header = new Uint8Array(512);
  header.set(strToU8(name));
  header.set(strToU8(content.length.toString(8).padStart(11, "0")), 124);
  header.fill(32, 148, 156);
  header[156] = type.charCodeAt(0);
  header.set(strToU8("ustar"), 257);
  header.set(strToU8(prefix), 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(strToU8(`${sum.toString(8).padStart(6, "0")}\0`), 148);
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

describe("entriesOf()", () => {
  const manifest = {
    exports: {
      ".": { node: "./node.js", import: { types: "./t.d.ts", default: "./esm.js" }, require: "./cjs.js" },
      "./sub": "./lib/sub.js",
      "./parts/*": "./src/*.js",
      "./parts/secret/*": null,
      "./list": [{ deno: "./deno.js" }, "./list.js"],
      "./nested": { browser: { deno: "./deno.js" }, import: { node: "./node.js" }, default: "./plain.js" },
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
    ["nested", "import", ["plain.js"]],
    ["nested", "require", ["plain.js"]],
    ["lib/sub.js", "import", []],
    ["out", "import", []],
    ["abs", "import", []],
    ["__proto__", "import", []],
  ] as const)("%j by %s", (subpath, kind, expected) => {
    expect(entriesOf(manifest, subpath, kind)).toEqual(expected);
  });
  it.each([
    { exports: { "./(a+)+*": "./a.js", "./*": "./b/*.js" } },
    { exports: { "./[*": "./a.js", "./a*!": "./b/a*!.js", "./*": "./b/*.js" } },
  ])("takes no pattern for a regular expression: %j", (manifest) => {
    const name = `${"a".repeat(50)}!`;
    expect(entriesOf(manifest, name, "import")).toEqual([`b/${name}.js`]);
  });
  it.each([
    [true],
    [7],
    [[]],
    [{ ".": 1 }],
    [{ ".": { import: [[{}]] } }],
    [JSON.parse(`${'{"import":'.repeat(200_000)}"./a.js"${"}".repeat(200_000)}`)],
  ])("finds nothing in exports of no known form", (exports) => {
    expect(entriesOf({ exports }, "", "import")).toEqual([]);
    expect(importsEntryOf({ imports: exports }, "#a", "import")).toBeNull();
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
    const imports = {
      "#a": { node: "./n.js", default: "./d.js" },
      "#b": "other",
      "#c/*": "./c/*.js",
      "#d": [{ node: "fs" }, "e"],
    };
    const names = ["#a", "#b", "#c/d", "#d", "#e"];
    expect(names.map((name) => importsEntryOf({ imports }, name, "import"))).toEqual([
      "./d.js",
      "other",
      "./c/d.js",
      "e",
      null,
    ]);
  });
});

describe("packageImports()", () => {
  it("looks for an import in a time that grows with the text", () => {
    const code = `// import${" ".repeat(200_000)}\nexport default () => 1;\n`;
    expect(packageImports({ file: "a.ts", code, headers: [] })).toEqual([]);
  });
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
      npmBudget(),
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
      /is damaged/,
    ],
    ["ends without its end", gzipSync(Uint8Array.from(manifest.flatMap((part) => [...part]))), /is damaged/],
    [
      "was changed",
      archive(
        manifest.map((part, i) => (i === 0 ? part.with(0, 81) : part)),
        entry("package/a.js", "1"),
      ),
      /is damaged/,
    ],
  ])("refuses one that %s", async (_what, bytes, message) => {
    await expect(unpackNpm(bytes, "it", npmBudget())).rejects.toThrow(message);
  });
  it("refuses one that grows without end", async () => {
    const bomb = gzipSync(new Uint8Array(257 * 1024 * 1024), { level: 1 });
    await expect(unpackNpm(bomb, "it", npmBudget())).rejects.toThrow(/more than 268435456 bytes/);
  });
  it("refuses what is too much together with what was unpacked before", async () => {
    const large = archive(manifest, entry("package/large.bin", " ".repeat(1024 * 1024)));
    const budget = { bytes: 2 * 1024 * 1024 };
    await unpackNpm(large, "first", budget);
    await expect(unpackNpm(large, "second", budget)).rejects.toThrow(
      /of second cannot be used: the UDF's packages have more than 512 MiB together/,
    );
  });
});

describe("NpmPackages", () => {
  const bytes = archive(entry("package/package.json", "{}"));
  const versions = ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "no version"];
  const registry: NpmRegistry = {
    url: "https://registry.example",
    require: async () => {},
    find: async (name) => ({
      tags: { latest: "2.0.0-rc.1", old: "1.0.0" },
      versions: versions.map((version) => ({
        version,
        tarball: "",
        integrity: "sha512-x",
        dependencies: name === "a" ? { b: "^1.0.0" } : {},
      })),
    }),
    read: async () => bytes,
    kept: async () => undefined,
  };
  const packages = new NpmPackages({} as Assets, registry);
  const choose = async (...specifiers: string[]) => {
    const lock = await packages.lock(
      { file: "a.ts", code: "", headers: [] } as unknown as UdfSource,
      specifiers,
      {} as PackageCaller,
    );
    return lock.packages.map(({ name, version }) => `${name}@${version}`);
  };
  it.each([
    ["npm:b", "2.0.0-rc.1"],
    ["npm:b@old", "1.0.0"],
    ["npm:b@1", "1.10.0"],
    ["npm:b@~1.9", "1.9.0"],
    ["npm:b@*", "1.10.0"],
    ["npm:b@>=2.0.0-0", "2.0.0-rc.1"],
  ])("%s is the newest that fits: %s", async (specifier, version) => {
    expect(await choose(specifier)).toEqual([`b@${version}`]);
  });
  it("takes a version that is chosen already where it will do", async () => {
    expect(await choose("npm:b@1.9.0", "npm:a@1")).toEqual(["a@1.10.0", "b@1.9.0"]);
  });
  it("takes no grant from a lock file", async () => {
    const integrity = `sha512-${"A".repeat(86)}==`;
    const origin = registry.url;
    const locked = [
      { name: "a", version: "1.0.0", origin, integrity, depends: { b: "1.0.0" } },
      { name: "b", version: "1.0.0", origin, integrity, depends: {} },
    ];
    const lock = JSON.stringify({
      version: 1,
      udfs: { "a.ts": { requires: ["npm:a@1"], packages: locked } },
    });
    const source = { file: "a.ts", code: "", headers: [], lock } as unknown as UdfSource;
    const granted = new Set(["a"]);
    const asking = new NpmPackages({} as Assets, {
      ...registry,
      async require(name) {
        if (granted.has(name)) return;
        const grant = `--allow-import=npm:${name}`;
        throw new PermissionDeniedError(`Requires ${name}`, { permission: "import", value: name, grant });
      },
    });
    const open = () => asking.open(source, ["npm:a@1"], {} as PackageCaller);
    await expect(open()).rejects.toThrow(/run again with --allow-import=npm:b$/);
    granted.add("b");
    expect([...(await open()).roots.keys()]).toEqual(["npm:a@1"]);
  });
  it.each([
    ["npm:b@3", /has 1\.0\.0, .*no version/],
    ["npm:b@none", /only versions, ranges and tags/],
    [`npm:b@${"1 ".repeat(100_000)}1`, /only versions, ranges and tags/],
  ])("refuses what none is", async (specifier, message) => {
    await expect(choose(specifier)).rejects.toThrow(message);
  });
});

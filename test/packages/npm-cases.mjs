/** The cases of npm packages: a registry on this machine, and `node_modules` beside a UDF. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { packAll, writePackage } from "./npm-packages.mjs";
import { serveNpmRegistry } from "./servers.mjs";

const dist = process.env.FUSELET_DIST ?? join(import.meta.dirname, "../../dist");
const { createRuntime } = await import(pathToFileURL(join(dist, "index.node.js")).href);

const shout = (version, mark) => ({
  name: "shout",
  version,
  main: "lib",
  files: {
    "lib/index.js": `const how = require("./how"); let fs; try { fs = require("fs"); } catch {}\nmodule.exports = (text) => how(text) + "${mark}" + typeof fs;`,
    "lib/how.js": "module.exports = (text) => text.toUpperCase();",
  },
});

const PACKAGES = [
  shout("1.0.0", "."),
  shout("1.1.0", "!"),
  shout("2.0.0", "?"),
  {
    name: "greet",
    version: "3.1.0",
    type: "module",
    exports: {
      ".": { require: "./none.cjs", import: "./main.js" },
      "./parts/*": "./src/*.js",
      "./hidden": null,
    },
    imports: { "#name": "./name.js" },
    dependencies: { shout: "^1.0.0" },
    scripts: { postinstall: "touch /tmp/fuselet-packages-postinstall" },
    files: {
      "main.js":
        'import shout from "shout";\nimport { name } from "#name";\nexport const greet = (who) => shout("hello " + String(who) + " from " + name);\n',
      "src/version.js": 'export { version } from "../package.json";\n',
      "name.js": 'export const name = "greet";\n',
    },
  },
  { name: "greet", version: "4.0.0-rc.1", files: { "index.js": "export default 4;" } },
  {
    name: "@a-scope/reader",
    version: "1.0.0",
    files: { "index.js": 'import { readFileSync } from "node:fs";\nexport default readFileSync;\n' },
  },
  {
    name: "climber",
    version: "1.0.0",
    files: { "index.js": 'export { default } from "../../../../../../etc/passwd";\n' },
  },
  {
    name: "pattern",
    version: "1.0.0",
    files: { "index.js": 'export default (name) => import("/etc/" + name);\n' },
  },
];

const GREET = [
  'import { greet } from "npm:greet@3";\nimport { version } from "npm:greet@3/parts/version";',
  'greet("you") + version',
];
const GREETING = '"HELLO YOU FROM GREET!undefined3.1.0"\n';
const GRANT = "--allow-import=npm:greet,npm:shout";

/** @param {{ folder: string, cache: string, put: Function, succeeds: Function, fails: Function }} tools */
export async function npmCases({ folder, cache, put, succeeds, fails }) {
  mkdirSync(join(folder, "packed"));
  const registry = await serveNpmRegistry(packAll(join(folder, "packed"), PACKAGES));
  const from = ["--npm-registry", registry.url];
  let count = 0;
  /** A UDF in a folder of its own. */
  const typescript = (imports, expression) =>
    put(`npm-${++count}/report.ts`, `${imports}\nexport default async () => ${expression};\n`);

  const cases = {
    "npm: a package that is not granted: the flag is named, and the registry is not asked": async () => {
      registry.reset();
      const udf = typescript(...GREET);
      await fails(["run", udf, ...from], 3, /"npm:greet": run again with --allow-import=npm:greet\n/);
      assert.equal(registry.connections, 0);
      await fails(["run", udf, ...from, "--allow-import=npm:greet"], 3, /--allow-import=npm:shout\n/);
      await fails(["run", udf, ...from, "--allow-import=greet,shout"], 3, /--allow-import=npm:greet\n/);
    },
    "npm: granted: fetched, bundled, and not fetched again; no script of it runs": async () => {
      const udf = typescript(...GREET);
      await succeeds(["run", udf, ...from, GRANT], GREETING);
      registry.reset();
      await succeeds(["run", udf, ...from, GRANT], GREETING);
      assert.equal(registry.connections, 0);
      await fails(["run", udf, ...from], 3, /--allow-import=npm:greet/);
      assert.ok(!existsSync("/tmp/fuselet-packages-postinstall"));
    },
    "npm: a place in a package's code is named in errors": async () => {
      const udf = typescript(
        'import { greet } from "npm:greet@3";',
        "greet({ toString() { throw new TypeError('no text'); } })",
      );
      await fails(["run", udf, ...from, GRANT], 1, /TypeError[\s\S]*greet@3\.1\.0\/main\.js:3/);
    },
    "npm: modules of Node, and files outside of a package, are refused": async () => {
      const run = (specifier) => [
        "run",
        typescript(`import x from "${specifier}";`, "x"),
        ...from,
        "--allow-import",
      ];
      await fails(run("node:fs"), 2, /"node:fs": it is a module of Node/);
      await fails(run("fs"), 2, /"fs": it is a module of Node/);
      await fails(
        run("npm:@a-scope/reader"),
        2,
        /@a-scope\/reader@1\.0\.0\/index\.js imports "node:fs": it is a module of Node/,
      );
      await fails(
        run("npm:climber"),
        2,
        /climber@1\.0\.0\/index\.js imports "\.\.\/.*passwd": the package has no such file/,
      );
      await fails(run("npm:greet@3/hidden"), 2, /greet@3\.1\.0 has no such file/);
      await fails(run("npm:greet@3/main.js"), 2, /greet@3\.1\.0 has no such file/);
      await fails(run("npm:greet@9"), 2, /needs npm:greet@9, and .* has 3\.1\.0, 4\.0\.0-rc\.1/);
      await fails(run("npm:unheard-of"), 2, /needs npm:unheard-of@latest, and .* has no such package/);
      await fails(run("npm:../x"), 2, /names no package/);
      const udf = typescript(
        'import open from "npm:pattern";',
        'await open("passwd").catch((error) => error.name)',
      );
      await succeeds(["run", udf, ...from, "--allow-import=npm:pattern"], '"ReferenceError"\n');
    },
    "npm: an archive that is not what the registry says: nothing is installed": async () => {
      const [first, second] = registry.packages;
      const bad = await serveNpmRegistry([{ ...first, served: second.archive }]);
      const udf = typescript('import shout from "npm:shout";', 'shout("x")');
      const args = ["run", udf, "--npm-registry", bad.url, "--allow-import=npm:shout"];
      const kept = () => readdirSync(cache).filter((name) => name.startsWith("npm-")).length;
      const before = kept();
      await fails(
        args,
        2,
        /shout@1\.0\.0 from .* its integrity is sha512-.*, and sha512-.* was expected\. Nothing was installed/,
      );
      assert.equal(kept(), before);
      delete bad.packages[0].served;
      await succeeds(args, '"X.undefined"\n');
      delete bad.packages[0].integrity;
      await fails(["lock", ...args.slice(1)], 2, /gives no SHA-512 for shout@1\.0\.0/);
      await bad.close();
    },
    "npm: a lock file": async () => {
      const udf = typescript(...GREET);
      const lock = join(dirname(udf), "fuselet.lock");
      await succeeds(["lock", udf, ...from, GRANT], "");
      const { requires, packages } = JSON.parse(readFileSync(lock, "utf8")).udfs["report.ts"];
      assert.deepEqual(requires, ["npm:greet@3"]);
      assert.deepEqual(
        packages.map(({ name, version, origin, depends }) => [name, version, origin, depends]),
        [
          ["greet", "3.1.0", registry.url, { shout: "1.1.0" }],
          ["shout", "1.1.0", registry.url, {}],
        ],
      );
      registry.reset();
      await fails(["run", udf, ...from], 3, /--allow-import=npm:greet,npm:shout\n/);
      await fails(["run", udf, ...from, GRANT, "--deny-import=npm:shout"], 3, /"npm:shout", which is denied/);
      await succeeds(["run", udf, ...from, GRANT], GREETING);
      // What is kept is the same file, whatever registry is named now.
      const elsewhere = ["--npm-registry", "https://elsewhere.example"];
      for (const named of [[], elsewhere]) await succeeds(["run", udf, ...named, GRANT], GREETING);
      assert.equal(registry.connections, 0);
      const locked = readFileSync(lock, "utf8");
      writeFileSync(lock, locked.replace(packages[1].integrity, packages[0].integrity));
      await fails(
        ["run", udf, ...from, GRANT],
        2,
        /shout@1\.1\.0 .*its integrity is sha512-.*, and sha512-.* was expected/,
      );
      writeFileSync(lock, locked);
      await fails(["run", udf, ...elsewhere, GRANT], 2, /a package comes from one registry only/, {
        FUSELET_CACHE: join(folder, "npm-cache-2"),
      });
      writeFileSync(udf, readFileSync(udf, "utf8").replaceAll("greet@3", "greet@^3.0.0"));
      await fails(
        ["run", udf, ...from, GRANT],
        2,
        /no longer matches report\.ts: it was made for npm:greet@3, and the UDF imports npm:greet@\^3\.0\.0/,
      );
    },
    "npm: node_modules beside the UDF, for whom it is granted; a link that leaves the project leads nowhere":
      async () => {
        const project = join(folder, `npm-${++count}`);
        const udf = put(
          `npm-${count}/udfs/report.ts`,
          'import { greet } from "greet";\nexport default () => greet("you");\n',
        );
        writeFileSync(join(project, "package.json"), "{}");
        const modules = join(project, "node_modules");
        writePackage(join(modules, "greet"), {
          name: "greet",
          version: "3.0.0",
          module: "m.js",
          dependencies: { shout: "1" },
          files: { "m.js": 'import shout from "shout";\nexport const greet = (who) => shout(who);\n' },
        });
        writePackage(join(modules, "greet/node_modules/shout"), shout("1.5.0", "~"));
        registry.reset();
        await fails(["run", udf, ...from], 3, /--allow-import=npm:greet\n/);
        await fails(["run", udf, ...from, "--allow-import=npm:greet"], 3, /--allow-import=npm:shout\n/);
        await succeeds(["run", udf, ...from, GRANT], '"YOU~undefined"\n');
        const runtime = await createRuntime({
          permissions: { import: ["npm:greet", "npm:shout"] },
          assets: { cache: join(folder, "npm-cache") },
        });
        const greeting = async () => (await runtime.run(udf, { cache: true })).value;
        for (let i = 0; i < 3; i++) assert.equal(await greeting(), "YOU~undefined");
        const module = join(modules, "greet/m.js");
        writeFileSync(module, readFileSync(module, "utf8").replace("shout(who)", '"new " + who'));
        for (let i = 0; i < 3; i++) assert.equal(await greeting(), "new you");
        await runtime.close();
        writeFileSync(module, readFileSync(module, "utf8").replace('"new " + who', "shout(who)"));
        writeFileSync(udf, readFileSync(udf, "utf8").replace('"greet"', '"npm:greet@^4"'));
        await fails(
          ["run", udf, ...from, GRANT],
          2,
          /imports npm:greet@\^4, and node_modules beside it has greet@3\.0\.0/,
        );
        writeFileSync(udf, 'import x from "outside";\nexport default () => x;\n');
        const outside = join(folder, "outside");
        writePackage(outside, {
          name: "outside",
          version: "1.0.0",
          files: { "index.js": 'export default "secret";' },
        });
        symlinkSync(outside, join(modules, "outside"));
        await fails(
          ["run", udf, ...from, "--allow-import"],
          2,
          /imports "outside", and no node_modules beside it has that package/,
        );
        rmSync(join(modules, "outside"));
        writePackage(join(modules, "outside"), { name: "outside", version: "1.0.0", files: {} });
        symlinkSync(join(outside, "index.js"), join(modules, "outside/index.js"));
        await fails(["run", udf, ...from, "--allow-import"], 2, /outside@1\.0\.0 has no such file/);
        assert.equal(registry.connections, 0);
      },
  };
  return { cases, close: registry.close };
}

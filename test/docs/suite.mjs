/**
 * What README.md shows is run, and must give what it shows. `npm start` and the example's data are tested here, too.
 *
 * In README.md a fence with a file name (```python cities.py) is a file. Files and commands (```sh run) work in one folder; the
 * ```text fence that follows a command, or a page, is what it prints.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium as playwright } from "playwright-core";

import { serve } from "../browser/server.mjs";
import { report, runCases } from "../setup/cases.mjs";
import { CHROMIUM_ARGUMENTS, chromium } from "../setup/chromium.mjs";
import { publishedClient } from "../setup/published-client.mjs";
import { withTables } from "./tables.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const dist = process.env.FUSELET_DIST ?? join(root, "dist");
const readme = readFileSync(join(root, "README.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "fuselet-docs-"));

/** The fences in their order: language, the rest of the first line, text. */
const fences = [...readme.matchAll(/^```(\w+)(?: (.+))?\n([\s\S]*?)^```$/gm)].map(
  ([, language, info, text]) => ({
    language,
    info,
    text,
  }),
);

/** The folder in which the README's reader works: its files, the package, and `fuselet` as a command. */
function makeWorkplace() {
  for (const { language, info, text } of fences)
    if (language !== "sh" && info) writeFileSync(join(folder, info), text);
  const installed = join(folder, "node_modules", "fuselet");
  mkdirSync(installed, { recursive: true });
  for (const name of readdirSync(root).filter((name) => /^(package\.json|node_modules)$/.test(name)))
    symlinkSync(join(root, name), join(installed, name));
  symlinkSync(dist, join(installed, "dist"));
  symlinkSync(join(dist, "embed"), join(folder, "embed"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(
    join(bin, "fuselet"),
    `#!/bin/sh\nexec '${process.execPath}' '${join(dist, "cli.js")}' "$@"\n`,
  );
  chmodSync(join(bin, "fuselet"), 0o755);
  symlinkSync(process.execPath, join(bin, "node"));
  writeFileSync(join(bin, "python"), `#!/bin/sh\nexec '${client}' "$@"\n`, { mode: 0o755 });
  return bin;
}

/** A python with the published client of Fused. */
const client = await publishedClient();
const bin = makeWorkplace();

/** Runs a program and gives what it wrote. */
function run(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      ...options,
    });
    const [stdout, stderr] = [[], []];
    child.stdout.on("data", (chunk) => stdout.push(chunk));
    child.stderr.on("data", (chunk) => stderr.push(chunk));
    child.on("close", (status) =>
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/** What a page writes into its `<pre>`. */
async function openPage(name) {
  const server = await serve(folder);
  const browser = await playwright.launch({
    executablePath: chromium(),
    args: CHROMIUM_ARGUMENTS.filter((argument) => argument !== "--headless"),
  });
  try {
    const page = await browser.newPage();
    const problem = new Promise((_, reject) => page.on("pageerror", reject));
    await page.goto(`${server.origin}/${name}`);
    await Promise.race([page.waitForFunction("document.querySelector('pre').textContent !== ''"), problem]);
    return await page.textContent("pre");
  } finally {
    await browser.close();
    await server.close();
  }
}

/** The cases that README.md itself holds. */
function examples() {
  return fences.flatMap(({ language, info, text }, index) => {
    const expected = fences[index + 1]?.language === "text" ? fences[index + 1].text : undefined;
    if (language === "sh" && info === "run") {
      return [
        [
          `README: ${text.split("\n", 1)[0]}`,
          async () => {
            assert.notEqual(expected, undefined, "no text fence follows");
            const { status, stdout, stderr } = await run("sh", ["-ec", text]);
            assert.equal(status, 0, stderr);
            assert.equal(stdout, expected);
          },
        ],
      ];
    }
    if (language !== "html") return [];
    return [[`README: ${info}`, async () => assert.equal(`${await openPage(info)}\n`, expected)]];
  });
}

/** The table of a UDF's result as rows of cells; cells stand at least two spaces apart. */
const cells = (text) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/));

const quakes = (name) => join(root, "examples", "node", name);

const cases = [
  [
    "the tables of README.md are those of the code (npm run docs)",
    () => assert.equal(withTables(readme), readme),
  ],
  [
    "README.md and SECURITY.md link to files that are there",
    () => {
      const names = readdirSync(root);
      for (const file of ["README.md", "SECURITY.md"]) {
        for (const [, path] of readFileSync(join(root, file), "utf8").matchAll(/\]\((?!https?:)([^)#]+)/g))
          assert.ok(names.includes(path.split("/")[0]) && readFileSync(join(root, path)), `${file}: ${path}`);
      }
    },
  ],
  ...examples(),
  [
    "npm start prints the tables of both examples, which are the same",
    async () => {
      const { status, stdout, stderr } = await run(process.execPath, [join(root, "examples", "start.mjs")]);
      assert.equal(status, 0, stderr);
      // Nothing is built anew while other suites use what is there.
      assert.doesNotMatch(stderr, /Building/);
      const [python, typescript, ...rest] = stdout.trimEnd().split("\n\n");
      assert.deepEqual(rest, []);
      assert.match(python, /^Python: .*quakes\.py\n/);
      assert.match(typescript, /^TypeScript: .*quakes\.ts\n/);
      const [table, other] = [python, typescript].map((text) => text.slice(text.indexOf("\n") + 1));
      assert.equal(other, table);
      const [head, first] = cells(table);
      assert.deepEqual(head.slice(0, 3), ["region", "quakes", "strongest"]);
      assert.equal(first[0], "Taiwan");
    },
  ],
  [
    "npm start -- UDF name=value runs that UDF and ends with its status",
    async () => {
      const start = (...args) => run(process.execPath, [join(root, "examples", "start.mjs"), ...args]);
      const { status, stdout } = await start(join(folder, "cities.py"), "north_of=50");
      assert.deepEqual([status, cells(stdout)[1]], [0, ["Oslo", "59.91", "10.75"]]);
      assert.equal((await start(join(folder, "cities.py"), "unknown=1")).status, 2);
    },
  ],
  [
    "both examples agree to the last digit for other parameters",
    async () => {
      for (const smallest of [2.5, 3, 5.5]) {
        const place = ["limit=100", "latitude=10", "longitude=-70", "--format", "csv"];
        const python = await run("fuselet", [
          "run",
          quakes("quakes.py"),
          `min_magnitude=${smallest}`,
          ...place,
        ]);
        const other = await run("fuselet", [
          "run",
          quakes("quakes.ts"),
          `minMagnitude=${smallest}`,
          ...place,
        ]);
        assert.deepEqual([python.status, other.status], [0, 0], python.stderr + other.stderr);
        assert.equal(other.stdout, python.stdout);
      }
    },
  ],
  ...["node22", "node24"].map((node) => [
    `the examples run on ${node}`,
    async () => {
      for (const name of ["quakes.py", "quakes.ts"]) {
        const program = join(root, "node_modules", node, "bin", "node");
        const args = [join(dist, "cli.js"), "run", quakes(name), "limit=1"];
        const { status, stdout, stderr } = await run(program, args);
        assert.equal(status, 0, stderr);
        assert.equal(JSON.parse(stdout)[0].region, "Taiwan");
      }
    },
  ]),
  [
    "the example's data are what their script makes of vega-datasets",
    async () => {
      const made = mkdtempSync(join(folder, "data-"));
      assert.equal((await run(process.execPath, [quakes("quakes_data.mjs"), made])).status, 0);
      const read = (path) => readFileSync(path, "utf8");
      assert.equal(read(quakes("quakes_data.py")), read(join(made, "quakes_data.py")));
      const parsed = (path) => JSON.parse(read(path));
      assert.deepEqual(parsed(quakes("quakes_data.json")), parsed(join(made, "quakes_data.json")));
    },
  ],
];

await runCases(cases);
rmSync(folder, { recursive: true, force: true });
report();

/**
 * The tests of the Python package (test/python) once more, by pytest inside Pyodide: 314 and 0.27.7, in Node and in a page. What
 * a test needs that is not there (processes, sockets, a library) skips it. Prints `N passed, N failed` at the end.
 *
 *     node test/pyodide/suite.mjs [PLATFORM …] [--paths=test/python/test_encode.py,…]        platforms: see PLATFORMS
 *
 * FUSELET_DIST names another build.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { zipSync } from "fflate";
import { openBrowser } from "../browser/chromium.mjs";
import { serve } from "../browser/server.mjs";
import { geoDistribution, plainDistribution } from "../setup/pyodide-distribution.mjs";
import { python } from "../setup/python.mjs";

const root = dirname(dirname(import.meta.dirname));
const dist = process.env.FUSELET_DIST ?? join(root, "dist");
const PLATFORMS = ["node-314", "node-0.27.7", "chromium-314", "chromium-0.27.7"];
/** What pytest is made of: pure Python, as it lies in the environment of the tests. */
const PYTEST = ["pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments"];
const RUN_MS = 600_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { paths: { type: "string", default: "test/python" }, soak: { type: "boolean" } },
});

/** Python files below a folder, by their names in the archive. */
function* pythonFiles(folder, prefix) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && /\.(?:py|typed)$/.test(entry.name) && !path.includes("__pycache__"))
      yield [`${prefix}/${relative(folder, path)}`, new Uint8Array(readFileSync(path))];
  }
}

async function archive() {
  const lib = join(dirname(dirname(await python())), "lib");
  const packages = join(lib, readdirSync(lib)[0], "site-packages");
  return zipSync(
    Object.fromEntries([
      ["site/py.py", new Uint8Array(readFileSync(join(packages, "py.py")))],
      ...PYTEST.flatMap((name) => [...pythonFiles(join(packages, name), `site/${name}`)]),
      ...pythonFiles(join(root, "sdk/python/fused"), "sdk/python/fused"),
      ...pythonFiles(join(root, "test/python"), "test/python"),
    ]),
    { level: 1 },
  );
}

const [bytes, distribution] = await Promise.all([
  archive(),
  geoDistribution().then((geo) => geo ?? plainDistribution()),
]);
/** What tests use of a distribution, where it has it. */
const LIBRARIES = ["numpy", "pandas", "pyarrow", "geopandas", "shapely"];
const runner = readFileSync(join(import.meta.dirname, "run_pytest.py"), "utf8");
const { packages } = JSON.parse(readFileSync(join(distribution, "pyodide-lock.json"), "utf8"));
const dependencies = LIBRARIES.filter((name) => Object.hasOwn(packages, name));
const sourceFor = (pyodide) =>
  pyodide ? `# /// script\n# dependencies = ${JSON.stringify(dependencies)}\n# ///\n${runner}` : runner;
const paths = values.paths.split(",");
const options = { limits: { timeMs: RUN_MS }, pool: { spares: 0 } };

async function inNode(pyodide) {
  const { createRuntime } = await import(pathToFileURL(join(dist, "index.node.js")).href);
  const runtime = await createRuntime({ ...options, ...(pyodide ? { assets: { pyodide } } : {}) });
  try {
    return (await runtime.run(sourceFor(pyodide), { parameters: { archive: bytes, paths } })).value;
  } finally {
    await runtime.close();
  }
}

async function inPage(pyodide) {
  const browser = await openBrowser();
  const server = pyodide ? await serve(pyodide) : null;
  try {
    const page = await browser.openPage({ kind: "isolated" });
    return await page.evaluate(
      async ([source, options, pyodide, base64, paths]) => {
        const runtime = await fuselet.createRuntime({
          ...options,
          ...(pyodide ? { assets: { pyodide } } : {}),
        });
        try {
          const archive = Uint8Array.fromBase64(base64);
          return (await runtime.run(source, { parameters: { archive, paths } })).value;
        } finally {
          await runtime.close();
        }
      },
      [
        sourceFor(pyodide),
        options,
        server && `${server.origin}/`,
        Buffer.from(bytes).toString("base64"),
        paths,
      ],
    );
  } finally {
    await server?.close();
    await browser.close();
  }
}

const total = { passed: 0, failed: 0 };
for (const name of positionals.length ? positionals : PLATFORMS) {
  const [place, version] = name.split("-");
  const pyodide = version === "314" ? null : distribution;
  const started = performance.now();
  const { passed, skipped, failures } = await (place === "node" ? inNode(pyodide) : inPage(pyodide));
  for (const [test, text] of failures) console.log(`FAILED ${name} ${test}\n${text}\n`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${name}: ${passed} passed, ${failures.length} failed, ${skipped} skipped (${seconds} s)`);
  total.passed += passed;
  total.failed += failures.length;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed ? 1 : 0;

/**
 * Packages, as a user of the command line meets them: requirements, a folder of wheels, an index and a registry on this machine, lock
 * files, and those who would slip in something else. FUSELET_DIST names another build than dist/.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { makeWheel } from "../../runtime/engines/pyodide/testing.node.ts";
import { report, runCases } from "../setup/cases.mjs";
import { plainDistribution } from "../setup/pyodide-distribution.mjs";
import { npmCases } from "./npm-cases.mjs";
import { serve, servePythonIndex } from "./servers.mjs";
import { requestsWheels } from "./wheels.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cli = join(process.env.FUSELET_DIST ?? join(root, "dist"), "cli.js");
const { createRuntime } = await import(pathToFileURL(join(dirname(cli), "index.node.js")).href);
const folder = mkdtempSync(join(tmpdir(), "fuselet-packages-"));
const cache = join(folder, "cache");

const put = (path, content) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
  return join(folder, path);
};
let count = 0;
/** A Python UDF that requires packages and gives what an expression gives; in a folder of its own. */
const python = (requires, expression, imports = []) =>
  put(
    `udf-${++count}/report.py`,
    `# /// script\n# dependencies = ${JSON.stringify(requires)}\n# ///\n${imports.map((name) => `import ${name}\n`).join("")}import fused\n\n@fused.udf\ndef udf(url: str = ""):\n    return ${expression}\n`,
  );
/** A folder of wheels. */
const wheelFolder = (...wheels) => {
  const path = `wheels-${++count}`;
  for (const { file, bytes } of wheels) put(`${path}/${file}`, bytes);
  return join(folder, path);
};

/** Runs the program. */
function fuselet(args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        FUSELET_PYODIDE: "",
        FUSELET_WHEELS: "",
        FUSELET_INDEX: "",
        FUSELET_NPM_REGISTRY: "",
        FUSELET_CACHE: cache,
        FUSELET_DATA: join(folder, "data"),
        ...env,
      },
    });
    const [stdout, stderr] = [[], []];
    child.stdout.on("data", (chunk) => stdout.push(chunk));
    child.stderr.on("data", (chunk) => stderr.push(chunk));
    child.on("close", (status) =>
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}
async function succeeds(args, stdout, env) {
  const result = await fuselet(args, env);
  assert.deepEqual({ status: result.status, stdout: result.stdout }, { status: 0, stdout }, result.stderr);
}
/** Locks a UDF and looks at the versions; no isolate is started for that. */
async function locks(udf, args, versions) {
  await succeeds(["lock", udf, ...args], "");
  const { udfs } = JSON.parse(readFileSync(join(dirname(udf), "fuselet.lock"), "utf8"));
  const found = udfs[basename(udf)].packages.map(({ name, version }) => [name, version]);
  assert.deepEqual(Object.fromEntries(found), versions);
}
async function fails(args, status, pattern, env) {
  const result = await fuselet(args, env);
  assert.equal(result.status, status, result.stderr + result.stdout);
  assert.match(result.stderr, pattern);
  assert.equal(result.stdout, "");
}

const distribution = await plainDistribution();
const requests = await requestsWheels();

/** What UDFs fetch. */
const data = await serve(() => ({ type: "text/csv", body: "city,population\nOslo,717710\nLima,10092000\n" }));

const needed = makeWheel({ name: "needed", version: "1.4" });
const app = makeWheel({
  name: "App.Kit",
  version: "2.0",
  requires: ["needed>=1,<2", 'absent; sys_platform == "win32"'],
});
const index = await servePythonIndex([
  needed,
  makeWheel({ name: "needed", version: "2.0" }),
  app,
  makeWheel({ name: "App.Kit", version: "3.0rc1" }),
  { ...makeWheel({ name: "App.Kit", version: "2.5" }), yanked: true },
  { ...makeWheel({ name: "App.Kit", version: "2.4" }), requiresPython: ">=3.99" },
  { ...makeWheel({ name: "App.Kit", version: "2.3" }), sha256: "" },
  makeWheel({ name: "App.Kit", version: "2.2", tags: "cp314-cp314-manylinux_2_17_x86_64" }),
]);
const both = "--allow-import=app-kit,needed";
const APP = ["App_Kit.VERSION", ["App_Kit"]];
const appFiles = { "App_Kit.py": 'VERSION = "2.0"\n' };
index.wheels[2] = makeWheel({
  name: "App.Kit",
  version: "2.0",
  requires: ["needed>=1,<2", 'absent; sys_platform == "win32"'],
  files: appFiles,
});

/** The files that were kept of what was fetched. */
const keptWheels = () => readdirSync(cache).filter((name) => name.startsWith("wheel-"));

const cases = {
  // Requirements
  "a requirement that the distribution meets": () =>
    succeeds(
      [
        "run",
        python(["six>=1.15", "nothing; sys_platform == 'win32'"], "six.__version__", ["six"]),
        "--pyodide",
        distribution,
      ],
      '"1.16.0"\n',
    ),
  "a requirement that it does not meet is an error with the file and the requirement": () =>
    fails(
      ["run", python(["six>=2"], "1"), "--pyodide", distribution, "--allow-import"],
      2,
      /report\.py requires "six>=2", and .* has six 1\.16\.0/,
    ),
  "a text that is no requirement is an error with the file": () =>
    fails(
      ["run", python(["six>=="], "1")],
      2,
      /report\.py has the requirement "six>==": ">==" are no version specifiers/,
    ),
  "a URL is no requirement": () =>
    fails(
      ["run", python(["six @ https://example.org/six.whl"], "1")],
      2,
      /packages are not fetched from a URL/,
    ),
  "another Python than it needs": () => {
    const udf = put(
      "python/report.py",
      '# /// script\n# requires-python = ">=3.99"\n# ///\nimport fused\n@fused.udf\ndef udf(): return 1\n',
    );
    return fails(["run", udf], 2, /report\.py: it needs Python >=3\.99/);
  },

  // A folder of wheels
  "requests from a folder of wheels: denied by default, with the flag, and nobody was connected to":
    async () => {
      data.reset();
      const udf = put(
        "get.py",
        "import fused\nimport requests\n@fused.udf\ndef udf(url: str):\n    return requests.get(url).text\n",
      );
      const args = ["run", udf, `url=${data.url}/`, "--wheels", requests];
      await fails(args, 3, new RegExp(`--allow-net=${data.host}`));
      assert.equal(data.connections, 0);
      await succeeds(
        [...args, `--allow-net=${data.host}`],
        '"city,population\\nOslo,717710\\nLima,10092000\\n"\n',
      );
      assert.equal(data.connections, 1);
    },
  "pandas.read_csv, with requests beside it: denied by default, with the flag, and nobody was connected to":
    async () => {
      data.reset();
      const udf = put(
        "read.py",
        "import fused\nimport pandas as pd\nimport requests\n@fused.udf\ndef udf(url: str):\n    return [int(pd.read_csv(url).population.sum()), requests.get(url).status_code]\n",
      );
      const args = ["run", udf, `url=${data.url}/cities.csv`, "--pyodide", distribution];
      await fails(args, 3, new RegExp(`--allow-net=${data.host}`), { FUSELET_WHEELS: requests });
      assert.equal(data.connections, 0);
      await succeeds([...args, `--allow-net=${data.host}`], "[10809710,200]\n", { FUSELET_WHEELS: requests });
    },
  "a wheel for another platform is refused with the reason, and its name is not looked for elsewhere":
    async () => {
      index.reset();
      const foreign = makeWheel({
        name: "needed",
        version: "1.0",
        tags: "cp314-cp314-manylinux_2_17_x86_64",
      });
      await fails(
        [
          "run",
          python(["needed"], "1"),
          "--wheels",
          wheelFolder(foreign),
          "--index",
          index.simple,
          "--allow-import",
        ],
        2,
        /report\.py requires "needed", and .*needed-1\.0-cp314-cp314-manylinux_2_17_x86_64\.whl cannot be used: it is for manylinux_2_17_x86_64/,
      );
      assert.equal(index.connections, 0);
    },
  "a wheel for another Python": () =>
    fails(
      [
        "run",
        python(["older"], "1"),
        "--wheels",
        wheelFolder(makeWheel({ name: "older", version: "1.0", requiresPython: "<3" })),
      ],
      2,
      /older-1\.0-py3-none-any\.whl cannot be used: it needs Python <3/,
    ),
  "a wheel that is damaged": () =>
    fails(
      [
        "run",
        python(["six"], "1"),
        "--wheels",
        wheelFolder({ file: "six-1.0-py3-none-any.whl", bytes: "no archive" }),
      ],
      2,
      /six-1\.0-py3-none-any\.whl is damaged/,
    ),
  "extras bring more, and a wheel that is changed is installed anew": async () => {
    const main = (text) =>
      makeWheel({
        name: "main",
        version: "1.0",
        requires: ['side; extra == "more"'],
        files: { "main.py": `TEXT = "${text}"\n` },
      });
    const wheels = wheelFolder(main("first"), makeWheel({ name: "side", version: "3" }));
    const udf = python(["main[more]"], "[main.TEXT, side.VERSION]", ["main", "side"]);
    await succeeds(["run", udf, "--wheels", wheels], '["first","3"]\n');
    writeFileSync(join(wheels, main("").file), main("second").bytes);
    await succeeds(["run", udf, "--wheels", wheels], '["second","3"]\n');
  },
  "no package replaces ours": () =>
    succeeds(
      [
        "run",
        python(["sly"], "sly.VERSION", ["sly"]),
        "--wheels",
        wheelFolder(
          makeWheel({
            name: "sly",
            version: "1",
            files: { "sly.py": 'VERSION = "1"\n', "fused/__init__.py": "raise RuntimeError\n" },
          }),
        ),
      ],
      '"1"\n',
    ),
  "a wheel with a path that leaves its folder is refused": () =>
    fails(
      [
        "run",
        python(["climber"], "1"),
        "--wheels",
        wheelFolder(makeWheel({ name: "climber", version: "1", files: { "../../climber.py": "" } })),
      ],
      2,
      /climber-1-py3-none-any\.whl cannot be installed: it has the path "\.\.\/\.\.\/climber\.py"/,
    ),
  "wheels for Pyodide in a folder, on a distribution that has what they need": async () => {
    const wheels = process.env.FUSELET_TEST_WHEELS;
    if (!wheels) return "FUSELET_TEST_WHEELS is not set";
    const expression =
      "[shapely.Point(1, 2).buffer(0).is_empty, h3.is_valid_cell(h3.latlng_to_cell(59.91, 10.75, 3))]";
    await succeeds(
      [
        "run",
        python(["shapely>=2"], expression, ["shapely", "h3"]),
        "--pyodide",
        distribution,
        "--wheels",
        wheels,
      ],
      "[true,true]\n",
    );
    // Its METADATA wants more than the folder has.
    await fails(
      ["run", python(["geopandas"], "1"), "--pyodide", distribution, "--wheels", wheels],
      3,
      /package pyogrio is not on this machine/,
    );
    return undefined;
  },

  // The index
  "a package that is not here: the flag is named, and the index is not asked": async () => {
    index.reset();
    await fails(
      ["run", python(["App.Kit"], ...APP), "--index", index.simple],
      3,
      /package app-kit is not on this machine.*--allow-import=app-kit;/,
    );
    assert.equal(index.connections, 0);
  },
  "what it needs is asked for by name": async () => {
    index.reset();
    await fails(
      ["run", python(["App.Kit"], ...APP), "--index", index.simple, "--allow-import=app-kit"],
      3,
      /--allow-import=needed/,
    );
    assert.deepEqual(
      index.paths.filter((path) => path.includes("needed")),
      [],
    );
  },
  "a deny rule wins": () =>
    fails(
      ["run", python(["App.Kit"], ...APP), "--index", index.simple, "--allow-import", "--deny-import=needed"],
      3,
      /"needed", which is denied: run again without --deny-import=needed/,
    ),
  "granted: fetched, and not again": async () => {
    const udf = python(["App.Kit"], "[App_Kit.VERSION, needed.VERSION]", ["App_Kit", "needed"]);
    const args = ["run", udf, "--index", index.simple];
    const log = join(folder, "decisions.jsonl");
    await succeeds([...args, both, "--audit-log", log], '["2.0","1.4"]\n');
    const decisions = readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(decisions.map(({ permission, value, allowed }) => [permission, value, allowed]).sort(), [
      ["import", "app-kit", true],
      ["import", "needed", true],
    ]);
    assert.equal(keptWheels().length, 2);
    index.reset();
    await succeeds([...args, both], '["2.0","1.4"]\n');
    assert.equal(index.connections, 0);
    await fails(args, 3, /--allow-import=app-kit,needed/);
    assert.equal(index.connections, 0);
  },
  "a pre-release counts where it is asked for": () =>
    locks(python(["App.Kit>=3.0rc1"], "1"), ["--index", index.simple, "--allow-import"], {
      "app-kit": "3.0rc1",
    }),
  "why no file of the index will do": () =>
    fails(
      ["run", python(["App.Kit>2.1"], ...APP), "--index", index.simple, "--allow-import"],
      2,
      /report\.py requires "App\.Kit>2\.1", and .*\/simple has app-kit 3\.0rc1, 2\.0/,
    ),
  "granted, and no index is set up: how to name one": () =>
    fails(
      ["run", python(["unheard-of"], "1"), "--allow-import"],
      2,
      /no index of Python packages is set up.*--index URL/,
    ),
  "a name that the index does not know": () =>
    fails(
      ["run", python(["unheard-of"], "1"), "--index", index.simple, "--allow-import"],
      2,
      /\/simple has no such package/,
    ),
  "a wheel that is not what the index says: nothing is installed": async () => {
    const promised = makeWheel({ name: "swapped", version: "1.0" });
    const other = makeWheel({
      name: "swapped",
      version: "1.0",
      files: { "swapped.py": 'VERSION = "evil"\n' },
    });
    const bad = await servePythonIndex([{ ...promised, metadata: promised.metadata, served: other.bytes }]);
    const args = [
      "run",
      python(["swapped"], "swapped.VERSION", ["swapped"]),
      "--index",
      bad.simple,
      "--allow-import=swapped",
    ];
    const before = readdirSync(cache).sort();
    await fails(
      args,
      2,
      new RegExp(
        `swapped-1\\.0-py3-none-any\\.whl from .* its SHA-256 is ${other.sha256}, and ${promised.sha256} was expected\\. Nothing was installed`,
      ),
    );
    assert.deepEqual(readdirSync(cache).sort(), before);
    delete bad.wheels[0].served;
    await succeeds(["lock", ...args.slice(1)], "");
    await bad.close();
  },
  "METADATA beside a file saves fetching what is not chosen": async () => {
    const wheel = (version, requires) => {
      const made = makeWheel({ name: "chooser", version, requires });
      return { ...made, metadata: made.metadata };
    };
    const own = await servePythonIndex([wheel("2.0", ["needed>=9"]), wheel("1.0", ["needed>=1"]), needed]);
    const udf = python(["chooser"], "1");
    await locks(udf, ["--index", own.simple, "--allow-import=chooser,needed"], {
      chooser: "1.0",
      needed: "1.4",
    });
    assert.ok(own.paths.includes("/files/chooser-2.0-py3-none-any.whl.metadata"), own.paths.join(" "));
    assert.ok(!own.paths.includes("/files/chooser-2.0-py3-none-any.whl"), own.paths.join(" "));
    await own.close();
  },
  "a file elsewhere on this machine is not fetched": async () => {
    const wheel = makeWheel({ name: "inside", version: "1.0" });
    const service = await serve(() => ({ body: wheel.bytes }));
    for (const url of [
      `${service.url}/x`,
      service.url.replace("127.0.0.1", "localhost"),
      service.url.replace("127.0.0.1", "[::ffff:7f00:1]"),
    ]) {
      const own = await servePythonIndex([{ ...wheel, url }]);
      await fails(
        ["run", python(["inside"], "1"), "--index", own.simple, "--allow-import=inside"],
        2,
        /is no name on the public internet/,
      );
      await own.close();
    }
    const redirecting = await serve(() => ({ status: 302, location: service.url }));
    await fails(
      ["run", python(["inside"], "1"), "--index", redirecting.url, "--allow-import=inside"],
      2,
      /is no name on the public internet/,
    );
    assert.equal(service.connections, 0);
    await Promise.all([service.close(), redirecting.close()]);
  },
  "what is no index says so": async () => {
    const own = await serve(() => ({ type: "text/plain", body: "hello" }));
    await fails(
      ["run", python(["inside"], "1"), "--index", own.url, "--allow-import=inside"],
      2,
      /it is no index of packages, its answer is text\/plain/,
    );
    await own.close();
  },
  "an index of HTML pages": async () => {
    const wheel = makeWheel({ name: "plain", version: "1.0" });
    const own = await serve((path) =>
      path === "/plain/"
        ? {
            type: "text/html",
            body: `<!DOCTYPE html><a href="/f/${wheel.file}#sha256=${wheel.sha256}" data-requires-python="&gt;=3">${wheel.file}</a>`,
          }
        : { body: wheel.bytes },
    );
    await locks(python(["plain"], "1"), ["--index", own.url, "--allow-import=plain"], { plain: "1.0" });
    await own.close();
  },
  "somebody's own package is not taken from the index, however new it is there": async () => {
    const own = wheelFolder(makeWheel({ name: "in-house", version: "1.0" }));
    const public_ = await servePythonIndex([makeWheel({ name: "in-house", version: "99.0" })]);
    const args = ["--wheels", own, "--index", public_.simple, "--allow-import"];
    await locks(python(["in-house"], "1"), args, { "in-house": "1.0" });
    await fails(
      ["run", python(["in-house>=2"], "1"), "--wheels", own, "--index", public_.simple, "--allow-import"],
      2,
      /requires "in-house>=2", and .* has in-house 1\.0/,
    );
    assert.equal(public_.connections, 0);
    await public_.close();
  },
  "an index that wants a user name and a password: they are sent to it alone, and written down nowhere":
    async () => {
      const [user, password] = ["some@body", "pass/word-\u00fc"];
      const wheel = makeWheel({
        name: "internal",
        version: "1.0",
        files: { "internal.py": 'VERSION = "1.0"\n' },
      });
      const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
      const own = await servePythonIndex([wheel], { authorization });
      const named = (userInfo) => own.simple.replace("//", `//${userInfo}`);
      const given = named(`${encodeURIComponent(user)}:${encodeURIComponent(password)}@`);
      const udf = python(["internal"], "internal.VERSION", ["internal"]);
      const env = { FUSELET_CACHE: join(folder, "private-cache") };
      const grant = "--allow-import=internal";
      await fails(
        ["lock", udf, grant, "--index", own.simple],
        2,
        /401: it may want a user name and a password/,
        env,
      );
      const wrong = await fuselet(["lock", udf, grant, "--index", named("some:wrong-one@")], env);
      assert.match(wrong.stderr, /401: it does not take the user name and the password that were given/);
      const log = join(folder, "private.jsonl");
      const locked = await fuselet(["lock", udf, grant, "--audit-log", log], {
        ...env,
        FUSELET_INDEX: given,
      });
      assert.equal(locked.status, 0, locked.stderr);
      own.reset();
      // All is kept: nobody is asked, and no index has to be named.
      await succeeds(["run", udf], '"1.0"\n', env);
      await succeeds(["run", udf, "--index", "https://elsewhere.example/simple"], '"1.0"\n', env);
      assert.equal(own.connections, 0);
      await fails(["run", udf, grant], 2, /has internal from http:\S+simple, and the index here is none/, {
        FUSELET_CACHE: join(folder, "private-cache-2"),
      });
      await fails(["run", udf, "--deny-import=internal"], 3, /"internal", which is denied/, env);
      const lock = readFileSync(join(dirname(udf), "fuselet.lock"), "utf8");
      assert.equal(JSON.parse(lock).udfs["report.py"].packages[0].origin, own.simple);
      // Elsewhere: by a link, by a redirect, and by what says that it is the same place.
      const other = await serve(() => ({ body: wheel.bytes }));
      const elsewhere = other.url.replace("127.0.0.1", "other.test");
      const said = [wrong, locked];
      own.wheels[0] = { ...wheel, url: elsewhere };
      const linked = python(["internal"], "1");
      said.push(
        await fuselet(["lock", linked, grant, "--index", given], {
          FUSELET_CACHE: join(folder, "private-cache-3"),
        }),
      );
      const redirecting = await serve(() => ({ status: 302, location: elsewhere }));
      const at = redirecting.simple ?? redirecting.url;
      said.push(
        await fuselet(["lock", linked, grant, "--index", at.replace("//", "//some%40body:pass@")], env),
      );
      own.wheels[0] = { ...wheel, url: own.url.replace("//", "//a:b@") };
      said.push(
        await fuselet(["lock", linked, grant, "--index", given], {
          FUSELET_CACHE: join(folder, "private-cache-4"),
        }),
      );
      assert.match(
        said.at(-1).stderr,
        /it leads to a URL of "127\.0\.0\.1:\d+" with a user name or a password/,
      );
      assert.deepEqual(other.authorizations, []);
      // In what was said and written: nothing of them, in no form.
      const forms = [
        user,
        password,
        authorization.slice(6),
        encodeURIComponent(password),
        "wrong-one",
        "pass@",
      ];
      const written = ["private-cache", "private-cache-3", "private-cache-4"].flatMap((name) =>
        readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => entry.name + readFileSync(join(entry.parentPath, entry.name), "latin1")),
      );
      const texts = [
        lock,
        readFileSync(log, "utf8"),
        ...written,
        ...said.map(({ stdout, stderr }) => stdout + stderr),
      ];
      for (const form of forms) assert.ok(!texts.some((text) => text.includes(form)), form);
      await Promise.all([own.close(), other.close(), redirecting.close()]);
    },
  "a user name and a password go over https, or to this machine, and no message shows them": async () => {
    const udf = python(["internal"], "1");
    for (const index of [
      "http://user:pass-word@index.example/simple",
      "https://user:pass-word@index.example/?x",
      "ftp://user:pass-word@x/",
    ]) {
      const { status, stderr } = await fuselet(["run", udf], { FUSELET_INDEX: index });
      assert.equal(status, 2);
      assert.match(stderr, /packages\.index must be an .*\/\/…@/);
      assert.ok(!/user:|pass-word/.test(stderr), stderr);
    }
  },
  "an index that cannot be reached": async () => {
    const gone = await serve(() => undefined);
    await gone.close();
    await fails(
      ["run", python(["inside"], "1"), "--index", gone.url, "--allow-import=inside"],
      2,
      /Cannot fetch the package inside from /,
    );
  },

  "what the distribution names is its own file, and not what an index has of that name": async () => {
    const files = JSON.parse(readFileSync(join(distribution, "pyodide-lock.json"), "utf8")).packages;
    const six = files.six.file_name;
    const without = mkdtempSync(join(folder, "distribution-"));
    for (const file of readdirSync(distribution))
      if (file !== six) symlinkSync(join(distribution, file), join(without, file));
    const evil = await servePythonIndex([
      makeWheel({ name: "six", version: "99.0" }),
      makeWheel({ name: "sqlite3", version: "99.0" }),
    ]);
    const place = await serve((path) =>
      path.endsWith(`/full/${six}`) ? { body: readFileSync(join(distribution, six)) } : undefined,
    );
    const runtime = await createRuntime({
      permissions: { import: ["six", "sqlite3"] },
      packages: { index: evil.simple, pyodide: place.url },
      assets: { pyodide: without, cache: join(folder, "cache-own") },
    });
    const lock = await runtime.lock(python(["six"], "1"));
    const [entry] = JSON.parse(lock).udfs["report.py"].packages;
    assert.deepEqual([entry.version, entry.origin, entry.file], [files.six.version, "distribution", six]);
    await assert.rejects(runtime.lock(python(["sqlite3>=99"], "1")), /requires "sqlite3>=99", and /);
    assert.equal(evil.connections, 0);
    await runtime.close();
    await Promise.all([evil.close(), place.close()]);
  },

  "a server that is silent: its runtime can be closed, and who gives up stops only the own wait":
    async () => {
      const asked = Promise.withResolvers();
      const silent = createServer(() => asked.resolve());
      await new Promise((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const url = `http://127.0.0.1:${silent.address().port}`;
      const runtime = await createRuntime({
        permissions: { import: ["nosuch"] },
        packages: { index: url },
        assets: { cache: join(folder, "cache-silent") },
      });
      const udf = python(["nosuch"], "1");
      const alice = new AbortController();
      const first = runtime.run(udf, { principal: "alice", signal: alice.signal });
      const second = runtime.run(udf, { principal: "bob" });
      const ends = [first, second].map((each) => assert.rejects(each, /./));
      await asked.promise;
      alice.abort();
      await assert.rejects(first, { name: "CancelledError" });
      const pending = await Promise.race([
        second.catch(() => "ended"),
        new Promise((r) => setTimeout(r, 200, "waits")),
      ]);
      assert.equal(pending, "waits");
      await runtime.close();
      await Promise.all(ends);
      silent.closeAllConnections();
      await new Promise((resolve) => silent.close(resolve));
    },

  // micropip
  "micropip: what is granted is installed while the UDF runs, and gone after it": async () => {
    const udf = put(
      "install.py",
      `import fused
import micropip

@fused.udf
async def udf(names: list = ["App.Kit"]):
    await micropip.install(names)
    import App_Kit, needed
    return [App_Kit.VERSION, needed.VERSION, sorted(name for name in micropip.list() if name in ("App.Kit", "needed"))]
`,
    );
    const args = ["run", udf, "--index", index.simple, "--pyodide", distribution];
    index.reset();
    await fails(
      args,
      3,
      /package app-kit is not on this machine\. Fetching it needs --allow-import=app-kit;/,
    );
    assert.equal(index.connections, 0);
    await fails([...args, "--allow-import=app-kit"], 3, /--allow-import=needed;/);
    await succeeds([...args, both], '["2.0","1.4",["App.Kit","needed"]]\n');
    index.reset();
    const before = readdirSync(cache);
    await succeeds([...args, both], '["2.0","1.4",["App.Kit","needed"]]\n');
    // Files are kept, and not what was chosen: there would be as many choices as a UDF wants.
    assert.deepEqual(
      index.paths.filter((path) => path.endsWith(".whl")),
      [],
    );
    assert.deepEqual(readdirSync(cache), before);
    await fails(
      [...args, both, 'names=["App.Kit>9"]'],
      1,
      /ValueError: micropip requires "App\.Kit>9", and .* has app-kit/,
    );
    await fails(
      [...args, both, 'names=["https://example.org/x.whl"]'],
      1,
      /ValueError: micropip has the requirement/,
    );
    // With code for a platform it is too late: the run would need another interpreter.
    await fails(
      [...args, both, 'names=["pandas"]'],
      1,
      /ValueError: micropip requires "pandas", and the Pyodide distribution has no file .*2\.2\.3 cannot be used: it has code for a platform/,
    );
  },

  "a package of the folder that the source does not show is installed when it is imported": async () => {
    const wheels = wheelFolder(
      makeWheel({
        name: "late",
        version: "1.0",
        requires: ["side"],
        files: { "late.py": "import side\nVERSION = side.VERSION\n" },
      }),
      makeWheel({ name: "side", version: "3" }),
    );
    const late = (name) => python([], `importlib.import_module("${name}").VERSION`, ["importlib"]);
    await succeeds(["run", late("late"), "--wheels", wheels], '"3"\n');
    await fails(
      ["run", late("later"), "--wheels", wheels],
      1,
      /ModuleNotFoundError: No module named 'later'/,
    );
  },

  // Lock files
  "a lock file: written once and the same again, and run by, without network and grant": async () => {
    const udf = python(["App.Kit"], "[App_Kit.VERSION, needed.VERSION, six.__version__]", [
      "App_Kit",
      "needed",
      "six",
    ]);
    const lock = join(dirname(udf), "fuselet.lock");
    const args = ["--index", index.simple, "--pyodide", distribution];
    index.reset();
    await fails(["lock", udf, ...args], 3, /--allow-import=app-kit/);
    assert.equal(index.connections, 0);
    await succeeds(["lock", udf, both, ...args], "");
    const text = readFileSync(lock, "utf8");
    const { packages, ...rest } = JSON.parse(text).udfs["report.py"];
    assert.deepEqual(rest, { python: "3.12.7", abi: "2024_0", requires: ["App.Kit"], imports: ["six"] });
    assert.deepEqual(
      packages.map(({ name, version, origin, depends, imports }) => [
        name,
        version,
        origin,
        depends,
        imports,
      ]),
      [
        ["app-kit", "2.0", index.simple, ["needed"], ["App_Kit"]],
        ["needed", "1.4", index.simple, [], ["needed"]],
        ["six", "1.16.0", "distribution", [], ["six"]],
      ],
    );
    await succeeds(["lock", udf, both, ...args], "");
    assert.equal(readFileSync(lock, "utf8"), text);
    index.reset();
    await succeeds(["run", udf, ...args], '["2.0","1.4","1.16.0"]\n');
    assert.equal(index.connections, 0);
    await fails(["run", udf, ...args, "--deny-import=needed"], 3, /"needed", which is denied/);
    // A newer version that came out meanwhile is not taken.
    index.wheels.push(makeWheel({ name: "App.Kit", version: "2.9" }));
    await succeeds(["run", udf, ...args, both], '["2.0","1.4","1.16.0"]\n', {
      FUSELET_CACHE: join(folder, "cache-2"),
    });
    index.wheels.pop();
    // Nothing is kept elsewhere: then it takes the grant.
    await fails(["run", udf, ...args], 3, /--allow-import=app-kit/, {
      FUSELET_CACHE: join(folder, "cache-3"),
    });
  },
  "a lock file that no longer matches": async () => {
    const udf = python(["needed"], "needed.VERSION", ["needed"]);
    const lock = join(dirname(udf), "fuselet.lock");
    const source = readFileSync(udf, "utf8");
    await succeeds(["lock", udf, "--index", index.simple, "--allow-import=needed"], "");
    const { version, udfs } = JSON.parse(readFileSync(lock, "utf8"));
    assert.equal(udfs["report.py"].packages[0].version, "2.0");
    writeFileSync(udf, source.replace('"needed"', '"needed<2"'));
    await fails(
      ["run", udf, "--index", index.simple, "--allow-import"],
      2,
      /fuselet\.lock no longer matches report\.py: it was made for needed, and the UDF requires needed<2\. Lock it again: fuselet lock report\.py/,
    );
    writeFileSync(udf, source);
    await fails(
      ["run", udf, "--pyodide", distribution],
      2,
      /it was made for Python 3\.14\.\d+ .*has 3\.12\.7/,
    );
    const change = (fields) => {
      const [entry] = udfs["report.py"].packages;
      const changed = { ...udfs["report.py"], packages: [{ ...entry, ...fields }] };
      writeFileSync(lock, JSON.stringify({ version, udfs: { "report.py": changed } }));
    };
    const granted = ["run", udf, "--index", index.simple, "--allow-import=needed"];
    change({ sha256: "0".repeat(64) });
    await fails(granted, 2, /with the SHA-256 0{64} from .*: its file of that name has the SHA-256/);
    change({ sha256: needed.sha256 });
    await fails(granted, 2, /needed-2\.0-py3-none-any\.whl with the SHA-256 .*: its file of that name has/);
    change({ origin: "https://elsewhere.example/simple" });
    await fails(granted, 2, /a package comes from one index only/);
    change({ file: "../../etc/passwd" });
    await fails(granted, 2, /fuselet\.lock is damaged: udfs\["report\.py"\]\.packages\[0\]\.file is wrong/);
    writeFileSync(lock, "{");
    await fails(granted, 2, /fuselet\.lock is damaged: it is no JSON\. Make it again with fuselet lock/);
    rmSync(lock);
    symlinkSync("/etc/passwd", lock);
    await fails(granted, 2, /fuselet\.lock: it is no regular file/);
  },
  "a lock file of several UDFs": async () => {
    const first = python(["needed"], "needed.VERSION", ["needed"]);
    const second = put(
      join(`udf-${count}`, "other.py"),
      readFileSync(first, "utf8").replace('"needed"', '"needed<2"'),
    );
    const args = ["--index", index.simple, "--allow-import=needed"];
    await succeeds(["lock", first, ...args], "");
    await succeeds(["lock", second, ...args], "");
    const versions = Object.entries(
      JSON.parse(readFileSync(join(dirname(first), "fuselet.lock"), "utf8")).udfs,
    );
    assert.deepEqual(
      versions.map(([file, { packages }]) => [file, packages[0].version]),
      [
        ["other.py", "1.4"],
        ["report.py", "2.0"],
      ],
    );
    await succeeds(["run", second], '"1.4"\n', { FUSELET_INDEX: index.simple });
    const third = put(join(`udf-${count}`, "third.py"), "import fused\n@fused.udf\ndef udf(): return 3\n");
    await succeeds(["run", third], "3\n");
  },
};

const npm = await npmCases({ folder, cache, put, succeeds, fails });
Object.assign(cases, npm.cases);

await runCases(Object.entries(cases));
await Promise.all([index.close(), data.close(), npm.close()]);
rmSync(folder, { recursive: true, force: true });
report();

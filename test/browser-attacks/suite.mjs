/**
 * Attacks from inside a page's isolate: on the network, on storage, on the page. Each probe is also run where it must succeed
 * (a frame without our policy), so that a probe that does nothing is seen.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { build } from "esbuild";
import { openBrowser } from "../browser/chromium.mjs";
import { report, runCases } from "../setup/cases.mjs";

const dist = process.env.FUSELET_DIST ?? join(import.meta.dirname, "../../dist");

/** What bare-realm.ts puts into a realm beside the language. */
const FURNITURE = [
  ...[
    "WorkerGlobalScope",
    "self",
    "importScripts",
    "location",
    "navigator",
    "performance",
    "crypto",
    "console",
  ],
  ...["setTimeout", "clearTimeout", "queueMicrotask", "structuredClone", "TextDecoder", "TextEncoder", "URL"],
  ...["AbortController", "AbortSignal", "EventTarget", "ImageData"],
];
/** Numbers that Chromium does not let go. */
const STUCK = ["PERSISTENT", "TEMPORARY"];

async function bundle(file, options) {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, file)],
    bundle: true,
    write: false,
    target: "es2024",
    ...options,
  });
  return outputFiles[0].text;
}

const script = await bundle("realm.mjs", { format: "iife", globalName: "realm" });
const realm = (name) => `(function(){"use strict";${script};return realm.${name}})()`;
const module = await bundle("page.mjs", { format: "esm" });
const html = await readFile(join(dist, "embed/assets/isolate.html"), "utf8");
const unguarded = html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "");
assert.notEqual(unguarded, html);

const browser = await openBrowser();
const base = `${browser.modules.origin}/hit/`;
const page = await browser.openPage();
await page.evaluate(async (text) => {
  globalThis.attacks = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
}, module);

/** Runs an attack; also the page's largest gap, and what reached the server. */
async function attack(options) {
  browser.modules.hits.length = 0;
  const outcome = await page.evaluate(async (options) => {
    let last = performance.now();
    let gapMs = 0;
    const timer = setInterval(() => {
      gapMs = Math.max(gapMs, performance.now() - last);
      last = performance.now();
    }, 1);
    const report = await attacks.attack(options);
    clearInterval(timer);
    return { report, gapMs: Math.round(gapMs) };
  }, options);
  await page.waitFor(() => document.querySelectorAll("iframe").length === 0);
  return { ...outcome, hits: [...browser.modules.hits] };
}

const hostile = (name, start = {}) =>
  attack({ html, script: realm("unstripped"), start: { attack: name, ...start }, startMs: 3000 });

const cases = {
  "control: without our policy the probes reach the network": async () => {
    const { hits, report } = await attack({
      html: unguarded,
      script: realm("unstripped"),
      start: { attack: "probe", base },
    });
    assert.ok(hits.length >= 5, `only ${hits.join(", ")} came`);
    assert.equal(report.probes.eval, "2");
  },
  "with the policy alone nothing reaches the network": async () => {
    const { hits, report } = await hostile("probe", { base, startMs: 30_000 });
    assert.deepEqual(hits, []);
    assert.equal(report.probes.eval, "refused: EvalError");
    assert.equal(report.probes.indexedDB?.startsWith("refused"), true);
  },
  "the stripped realm has the language and our own furniture, nothing else": async () => {
    const { hits, report } = await attack({ html, script: realm("stripped"), start: { base } });
    assert.deepEqual(hits, []);
    const language = runInNewContext("Reflect.ownKeys(globalThis).map(String)");
    const known = new Set([
      ...language,
      ...FURNITURE,
      ...STUCK,
      "Float16Array",
      "Symbol(Symbol.toStringTag)",
    ]);
    assert.deepEqual(
      report.names.filter((name) => !known.has(name)),
      [],
    );
    for (const [name, outcome] of Object.entries(report.probes)) assert.match(outcome, /^refused/, name);
  },
  "a flood of messages ends the isolate and does not stop the page": async () => {
    const { report, gapMs } = await hostile("flood");
    assert.match(report.error, /without waiting for credit|kept sending events/);
    assert.ok(gapMs < 1000, `the page waited for ${gapMs} ms`);
    console.log(`   the page's largest gap: ${gapMs} ms`);
  },
  "messages that are no frames end the isolate": async () => {
    for (const [name, message] of Object.entries({
      object: /no frame/,
      short: /malformed/,
      cut: /malformed/,
      huge: /at most/,
      foreign: /nobody asked/,
    })) {
      assert.match((await hostile(name)).report.error, message, name);
    }
  },
  "a worker that fails ends the isolate": async () => {
    assert.match((await hostile("throws")).report.error, /on purpose/);
  },
  "a worker that says nothing ends at its time limit": async () => {
    assert.match((await hostile("nothing")).report.error, /did not start within 3000 ms/);
  },
  "Python finds no way to JavaScript, processes or the network": async () => {
    browser.modules.hits.length = 0;
    const { hits } = browser.modules;
    const attempts = [
      "import js",
      "import pyodide_js",
      'from pyodide.code import run_js\nrun_js("1")',
      'from pyodide.ffi import to_js\nto_js([1]).constructor.constructor("return 1")()',
      'from pyodide.ffi import to_js\nto_js([1]).constructor.constructor("return fetch")()',
      'from pyodide.http import open_url\nopen_url(BASE + "open_url")',
      'import urllib.request\nurllib.request.urlopen(BASE + "urlopen")',
      'import socket\nconnection = socket.create_connection(("127.0.0.1", PORT), 1)\nconnection.sendall(b"GET /socket HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")\nassert connection.recv(9)',
      'import os\nassert os.system("id") != 0\nraise OSError("no shell")',
      "import subprocess\nsubprocess.run(['id'])",
    ];
    const code = `import fused\nBASE = ${JSON.stringify(base)}\nPORT = ${new URL(base).port}\n@fused.udf\ndef udf(code: str):\n    try:\n        exec(code, globals())\n        return "it worked"\n    except BaseException as error:\n        return type(error).__name__\n`;
    const outcomes = await page.evaluate(
      async ({ code, attempts }) => {
        await using runtime = await fuselet.createRuntime({ pool: { spares: 0 } });
        const outcomes = [];
        for (const attempt of attempts)
          outcomes.push(
            await runtime.run(code, { parameters: { code: attempt } }).then(({ value }) => value, String),
          );
        return outcomes;
      },
      { code, attempts },
    );
    for (const [i, outcome] of outcomes.entries()) assert.notEqual(outcome, "it worked", attempts[i]);
    assert.deepEqual(hits, []);
  },
};

try {
  await runCases(Object.entries(cases));
} finally {
  await browser.close();
}
report();

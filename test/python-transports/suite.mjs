/**
 * The Python package asks a server: from an isolate of ours, through the host's guarded fetch; and from a Pyodide that is none of
 * ours, as a JupyterLite kernel is one, in a worker and on a page's main thread of Chromium. (The way that plain Python goes has its
 * tests in test/python/server_client.) Prints `N passed, N failed` at the end. FUSELET_DIST names another build.
 */
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { openBrowser } from "../browser/chromium.mjs";
import { serve } from "../browser/server.mjs";
import { plainDistribution } from "../setup/pyodide-distribution.mjs";
import { packageZip } from "../setup/python-package.mjs";

const dist = process.env.FUSELET_DIST ?? join(import.meta.dirname, "../../dist");
const START = "/server/v1/realtime/c1/api/v1/run/udf/start";
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, index) => index);

/** A server of the wire protocol that any page may ask. */
async function fakeServer() {
  const asked = [];
  let looks = 0;
  const server = createServer(async (request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "*");
    if (request.method === "OPTIONS") {
      response.setHeader(
        "access-control-allow-headers",
        request.headers["access-control-request-headers"] ?? "",
      );
      response.setHeader("access-control-allow-methods", "PUT, DELETE");
      return response.writeHead(204).end();
    }
    const body = Buffer.concat(await Array.fromAsync(request));
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    asked.push({ path: pathname, authorization: request.headers.authorization });
    const json = (value, status = 200, headers = {}) =>
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(value));
    if (pathname.endsWith("/available")) return json([{ client_id: "c1", preference_rank: 1 }]);
    if (pathname === "/bytes") return response.writeHead(200).end(ALL_BYTES);
    if (pathname === "/echo") return response.writeHead(200).end(body);
    // The second of each three ends at once.
    if (pathname === START) return looks++ % 3 === 1 ? json(7) : response.writeHead(202).end();
    if (pathname.includes("/run/udf/get/"))
      return json("done", 200, { "x-fused-metadata": '{"stdout": "printed"}' });
    if (pathname === "/fsh_a/run/file") return json(searchParams.get("a"));
    if (pathname.startsWith("/fsh_bad/"))
      return json({}, 422, {
        "x-fused-metadata": '{"has_exception": true, "errormsg": "boom", "lineno": 2}',
      });
    return json({ detail: "Not Found" }, 404);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, asked, close: () => server.close() };
}

const UDF = `fused.load("@fused.udf\\ndef udf(a: int = 1):\\n    return a\\n")`;
/** Python expressions, and what they are. `same` is true where the bytes of the answer are what they should be. */
const CASES = {
  "bytes come whole": [`list(http.request("GET", origin + "/bytes").body) == list(range(256))`, true],
  "bytes go whole": [
    `list(http.request("POST", origin + "/echo", body=bytes(range(256))).body) == list(range(256))`,
    true,
  ],
  "bytes come whole, asynchronously": [
    `list((await http.request_async("GET", origin + "/bytes")).body) == list(range(256))`,
    true,
  ],
  "bytes go whole, asynchronously": [
    `list((await http.request_async("POST", origin + "/echo", body=bytes(range(256)))).body) == list(range(256))`,
    true,
  ],
  "a run is started and looked for": [`fused.run(${UDF}, a=3)`, "done"],
  "a run that ends at once, asynchronously": [`await fused.run_async(${UDF}, a=3)`, 7],
  "headers are seen": [`fused.run(${UDF}, _return_response=True).stdout`, "printed"],
  "a token": [`fused.run("fsh_a", a=[1, 2])`, "[1, 2]"],
  "a failure": [
    `said(lambda: fused.run("fsh_bad"))`,
    ["UdfRuntimeError", "The UDF returned the following error in line 2:\nboom"],
  ],
  "a refusal": [`said(lambda: fused.run("fsh_none"))`, ["HTTPError", "Not Found"]],
  "nobody there": [`said(lambda: http.request("GET", "http://127.0.0.1:9/"))`, "ConnectionError"],
  "nobody there, asynchronously": [
    `await said_async(http.request_async("GET", "http://127.0.0.1:9/"))`,
    "ConnectionError",
  ],
  "awaitables where they are asked for": [
    `(setattr(fused.options, "pyodide_async_requests", True), await fused.run("fsh_a", a=5), setattr(fused.options, "pyodide_async_requests", False))[1]`,
    "5",
  ],
  "a local run": [`fused.run(${UDF}, a="3", engine="local")`, 3],
};

const PRELUDE = `
import os
import fused
from fused._server import http
os.environ["FUSED_AUTH_TOKEN"] = "secret"
fused.options.base_url = origin + "/server/v1"
def said(call):
    try:
        return call()
    except ConnectionError:
        return "ConnectionError"
    except Exception as error:
        return [type(error).__name__, str(error)]
async def said_async(waiting):
    try:
        return await waiting
    except ConnectionError:
        return "ConnectionError"
`;

/** Runs in the page or its worker: what each expression is, as JSON. */
async function evaluateAll({ pyodide, base64, origin, prelude, expressions }) {
  const { loadPyodide } = await import(`${pyodide}/pyodide.mjs`);
  const python = await loadPyodide({ indexURL: `${pyodide}/` });
  python.globals.set("origin", origin);
  python.globals.set("package", Uint8Array.fromBase64(base64));
  python.runPython(`
import io, sys, zipfile
zipfile.ZipFile(io.BytesIO(package.to_bytes())).extractall("/package")
sys.path.insert(0, "/package")`);
  await python.runPythonAsync(prelude);
  const answers = [];
  for (const expression of expressions) {
    try {
      answers.push(await python.runPythonAsync(`import json\nvalue = ${expression}\njson.dumps(value)`));
    } catch (error) {
      answers.push(JSON.stringify(`failed: ${error.message}`));
    }
  }
  return answers;
}

const WORKER = `${evaluateAll}\nonmessage = async ({ data }) => {
  try { postMessage({ answers: await evaluateAll(data) }); } catch (error) { postMessage({ error: String(error.stack) }); }
};`;

/** The same in an isolate of ours. */
const UDF_SOURCE = `
import fused

@fused.udf
async def udf(origin: str, prelude: str, expressions: list):
    import ast, inspect, json
    scope = {"origin": origin}
    exec(prelude, scope)
    answers = []
    for expression in expressions:
        try:
            value = eval(compile(expression, "<case>", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), scope)
            answers.append(json.dumps(await value if inspect.isawaitable(value) else value))
        except Exception as error:
            answers.append(json.dumps(f"failed: {type(error).__name__}: {error}"))
    return answers
`;

async function inIsolate(parameters) {
  const { createRuntime } = await import(pathToFileURL(join(dist, "index.node.js")).href);
  const runtime = await createRuntime({
    permissions: { net: [new URL(parameters.origin).host, "127.0.0.1:9"] },
    pool: { spares: 0 },
  });
  try {
    return (await runtime.run(UDF_SOURCE, { parameters })).value;
  } finally {
    await runtime.close();
  }
}

const total = { passed: 0, failed: 0 };
const [browser, distribution, server] = await Promise.all([
  openBrowser(),
  plainDistribution().then(serve),
  fakeServer(),
]);
try {
  const given = {
    pyodide: distribution.origin,
    base64: Buffer.from(packageZip()).toString("base64"),
    origin: server.origin,
    prelude: PRELUDE,
    expressions: Object.values(CASES).map(([expression]) => expression),
  };
  const page = await browser.openPage();
  const inWorker = await page.evaluate(
    ([source, given]) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), {
          type: "module",
        });
        worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.answers));
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(given);
      }),
    [WORKER, given],
  );
  const onMain = await page.evaluate(`(${evaluateAll})(${JSON.stringify(given)})`);
  const { origin, prelude, expressions } = given;
  const inOurs = await inIsolate({ origin, prelude, expressions });
  for (const [place, answers] of Object.entries({ worker: inWorker, page: onMain, isolate: inOurs })) {
    for (const [index, [name, [, expected]]] of Object.entries(CASES).entries()) {
      const value = JSON.parse(answers[index]);
      const ok = isDeepStrictEqual(value, expected);
      total[ok ? "passed" : "failed"] += 1;
      if (!ok) console.log(`FAILED ${place}: ${name}: ${answers[index]} is not ${JSON.stringify(expected)}`);
    }
  }
  const known = server.asked.every(
    ({ path, authorization }) => /^\/(bytes|echo)$/.test(path) || authorization,
  );
  total[known ? "passed" : "failed"] += 1;
  if (!known) console.log("FAILED: a run did not say whose it is");
} finally {
  await browser.close();
  await distribution.close();
  server.close();
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed ? 1 : 0;

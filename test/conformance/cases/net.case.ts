/** The network, from a UDF: the same requests, answers and errors in Node and in a page. */
import type { RuntimeOptions } from "../../../sdk/typescript/compose.ts";
import type { Bench, Case } from "../case.ts";
import { defineCase } from "../case.ts";

const python = (body: string, kind = "def") =>
  `import fused, json, urllib.request, urllib.error\n@fused.udf\n${kind} udf(url: str):\n    ${body.replaceAll("\n", "\n    ")}\n`;
const typescript = (body: string) => `export default async ({ url }: { url: string }) => {\n  ${body}\n};\n`;

/** Runs the UDF with the server's address, which alone is granted. */
const asking =
  (permissions?: RuntimeOptions["permissions"]) =>
  async ({ createRuntime, outcome, server }: Bench) => {
    const runtime = await createRuntime({ host: {}, permissions: permissions ?? { net: [server] } });
    return outcome({ parameters: { url: `http://${server}` } }, { runtime });
  };

/** A case whose UDF is granted the server. */
const net = (title: string, spec: Pick<Case, "python" | "typescript" | "distribution" | "value">) =>
  defineCase(title, {
    ...spec,
    needs: ["blockingCalls"],
    scenario: asking(),
    value: { value: spec.value, stdout: "", stderr: "" },
  });

const denial = {
  error: {
    exitCode: 3,
    grant: "--allow-net=SERVER",
    message: 'Requires net access to "SERVER": run again with --allow-net=SERVER',
    name: "PermissionDeniedError",
    permission: "net",
    value: "SERVER",
  },
  stdout: "",
  stderr: "",
};

export default [
  net("a text is fetched", {
    python: python(
      'with urllib.request.urlopen(url + "/text") as answer:\n    return [answer.status, answer.headers["content-type"], answer.read().decode()]',
    ),
    typescript: typescript(
      'const answer = await fetch(url + "/text");\nreturn [answer.status, answer.headers.get("content-type"), await answer.text()];',
    ),
    value: [200, "text/plain; charset=utf-8", "héllo\n"],
  }),
  net("JSON is fetched", {
    python: python('return json.load(urllib.request.urlopen(url + "/json"))'),
    typescript: typescript('return (await fetch(url + "/json")).json();'),
    value: { a: [1, null, "ü"] },
  }),
  net("method, headers and body are sent as given", {
    python: python(
      'request = urllib.request.Request(url + "/echo?q=%C3%A9&r=a+b", data=b"caf\\xc3\\xa9", method="PUT", headers={"X-Test": "yes", "Content-Type": "text/csv"})\nreturn json.load(urllib.request.urlopen(request))',
    ),
    typescript: typescript(
      'const answer = await fetch(url + "/echo?q=%C3%A9&r=a+b", { method: "PUT", body: "café", headers: { "X-Test": "yes", "Content-Type": "text/csv" } });\nreturn answer.json();',
    ),
    value: {
      method: "PUT",
      url: "/echo?q=%C3%A9&r=a+b",
      headers: { "content-type": "text/csv", "x-test": "yes" },
      body: "cafÃ©",
    },
  }),
  net("every byte crosses both ways", {
    python: python(
      'request = urllib.request.Request(url + "/echo", data=bytes(range(256)), method="POST")\nreturn [ord(c) for c in json.load(urllib.request.urlopen(request))["body"]] == list(range(256))',
    ),
    typescript: typescript(
      'const answer = await fetch(url + "/echo", { method: "POST", body: Uint8Array.from({ length: 256 }, (_, i) => i) });\nconst { body } = await answer.json();\nreturn [...body].every((c, i) => c.charCodeAt(0) === i) && body.length === 256;',
    ),
    value: true,
  }),
  net("other methods are sent", {
    python: python(
      'send = lambda method: json.load(urllib.request.urlopen(urllib.request.Request(url + "/echo", method=method)))["method"]\nreturn [send("DELETE"), send("PATCH"), len(urllib.request.urlopen(urllib.request.Request(url + "/text", method="HEAD")).read())]',
    ),
    typescript: typescript(
      'const send = async (method: string) => (await (await fetch(url + "/echo", { method })).json()).method;\nreturn [await send("DELETE"), await send("PATCH"), (await (await fetch(url + "/text", { method: "HEAD" })).text()).length];',
    ),
    value: ["DELETE", "PATCH", 0],
  }),
  net("an answer that reports an error is an answer", {
    python: python(
      'try:\n    urllib.request.urlopen(url + "/status/404")\nexcept urllib.error.HTTPError as error:\n    return [error.code, error.read().decode()]',
    ),
    typescript: typescript(
      'const answer = await fetch(url + "/status/404");\nreturn [answer.status, await answer.text()];',
    ),
    value: [404, "status 404"],
  }),
  net("compressed answers are unpacked", {
    python: python(
      'answer = urllib.request.urlopen(url + "/gzip")\nreturn [answer.read().decode() == "packed " * 1000, answer.headers["content-encoding"]]',
    ),
    typescript: typescript(
      'const answer = await fetch(url + "/gzip");\nreturn [(await answer.text()) === "packed ".repeat(1000), answer.headers.get("content-encoding")];',
    ),
    value: [true, null],
  }),
  net("a large answer comes whole", {
    python: python('return urllib.request.urlopen(url + "/bytes/3000000").read()'),
    typescript: typescript('return (await fetch(url + "/bytes/3000000")).bytes();'),
    value: Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251),
  }),
  net("an answer is read in parts while it comes", {
    python: python(
      'answer = urllib.request.urlopen(url + "/stream")\nparts = []\nwhile part := answer.read(7):\n    parts.append(part.decode())\nreturn parts',
    ),
    typescript: typescript(
      'const answer = await fetch(url + "/stream");\nlet text = "";\nconst decoder = new TextDecoder();\nfor await (const part of answer.body!) text += decoder.decode(part, { stream: true });\nreturn text.match(/.{7}/g);',
    ),
    value: ["part 0;", "part 1;", "part 2;", "part 3;"],
  }),
  net("repeated headers are kept apart or joined as each API does", {
    python: python(
      'headers = urllib.request.urlopen(url + "/headers").headers\nreturn [headers["x-one"], ", ".join(headers.get_all("x-two"))]',
    ),
    typescript: typescript(
      'const { headers } = await fetch(url + "/headers");\nreturn [headers.get("x-one"), headers.get("x-two")];',
    ),
    value: ["1", "a, b"],
  }),
  net("no cookie is kept", {
    python: python(
      'urllib.request.urlopen(url + "/headers").read()\nreturn json.load(urllib.request.urlopen(url + "/echo"))["headers"]',
    ),
    typescript: typescript(
      'await (await fetch(url + "/headers")).text();\nreturn (await (await fetch(url + "/echo")).json()).headers;',
    ),
    value: {},
  }),
  net("a request that takes too long is given up", {
    python: python(
      'try:\n    urllib.request.urlopen(url + "/slow/5000", timeout=0.3)\nexcept OSError as error:\n    return isinstance(error, TimeoutError) or isinstance(error.reason, TimeoutError)',
    ),
    typescript: typescript(
      'try { await fetch(url + "/slow/5000", { signal: AbortSignal.timeout(300) }); } catch (error) { return error.name === "TimeoutError"; }',
    ),
    value: true,
  }),
  net("a request can be aborted", {
    typescript: typescript(
      'const controller = new AbortController();\nsetTimeout(() => controller.abort(), 50);\ntry { await fetch(url + "/slow/5000", { signal: controller.signal }); } catch (error) { return error.name; }',
    ),
    value: "AbortError",
  }),
  net("many requests are under way at once", {
    python: python(
      'import asyncio\nfrom pyodide.http import pyfetch\nasync def get(i):\n    return await (await pyfetch(f"{url}/status/{i}")).string()\nreturn await asyncio.gather(*[get(200 + i) for i in range(3)], *[get(400 + i) for i in range(3)])',
      "async def",
    ),
    typescript: typescript(
      'return Promise.all([200, 201, 202, 400, 401, 402].map(async (i) => (await fetch(url + "/status/" + i)).text()));',
    ),
    value: [200, 201, 202, 400, 401, 402].map((i) => `status ${i}`),
  }),
  net("a server that is not there is an error of the network", {
    python: python(
      'try:\n    urllib.request.urlopen(url.rpartition(":")[0] + ":1/")\nexcept Exception as error:\n    return type(error).__name__',
    ),
    typescript: typescript(
      'try { await fetch(url.replace(/\\d+$/, "1")); } catch (error) { return error.name; }',
    ),
    value: "PermissionDeniedError",
  }),
  net("the classes of the Fetch standard work together", {
    typescript: typescript(
      `const form = new URLSearchParams({ a: "1", b: "ü" });
const request = new Request(url + "/echo", { method: "POST", body: form });
const answer = await fetch(request.clone());
const copy = answer.clone();
const { headers, body } = await answer.json();
return [headers["content-type"], body, (await copy.arrayBuffer()).byteLength > 0, answer.bodyUsed, answer.url === request.url];`,
    ),
    value: ["application/x-www-form-urlencoded;charset=UTF-8", "a=1&b=%C3%BC", true, true, true],
  }),
  net("pandas reads a URL", {
    python: `import fused\nimport pandas as pd\n@fused.udf\ndef udf(url: str):\n    return pd.read_csv(url + "/csv").to_dict("list")\n`,
    distribution: "pandas",
    value: { n: [1, 2], name: ["one", "two"] },
  }),
  defineCase("redirects are followed where all of the network is granted", {
    python: python(
      'answer = urllib.request.urlopen(url + "/redirect/3")\nreturn [answer.status, answer.url == url + "/text", answer.read().decode()]',
    ),
    typescript: typescript(
      'const answer = await fetch(url + "/redirect/3");\nreturn [answer.status, answer.url === url + "/text", await answer.text()];',
    ),
    needs: ["blockingCalls"],
    scenario: asking({ net: true }),
    value: { value: [200, true, "héllo\n"], stdout: "", stderr: "" },
  }),
  defineCase("without a grant no request is made, and the flag is named", {
    python: python('urllib.request.urlopen(url + "/text")'),
    typescript: typescript('await fetch(url + "/text");'),
    needs: ["blockingCalls"],
    scenario: asking({}),
    value: denial,
  }),
  defineCase("another port of a granted host is not granted", {
    python: python('urllib.request.urlopen(url + "/text")'),
    typescript: typescript('await fetch(url + "/text");'),
    needs: ["blockingCalls"],
    scenario: asking({ net: ["127.0.0.1:1"] }),
    value: denial,
  }),
  defineCase("what is denied is not asked for", {
    python: python('urllib.request.urlopen(url + "/text")'),
    typescript: typescript('await fetch(url + "/text");'),
    needs: ["blockingCalls"],
    scenario: async (bench) => {
      const { error } = await asking({ net: true, deny: { net: [bench.server] } })(bench);
      const { name, message } = error as { name: string; message: string };
      return [name, message];
    },
    value: [
      "PermissionDeniedError",
      'Requires net access to "SERVER", which is denied: run again without --deny-net=SERVER',
    ],
  }),
] satisfies Case[];

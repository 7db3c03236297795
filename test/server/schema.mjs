/** Requests that Schemathesis makes from /openapi.json, with the token of an admin: every answer is one that the document has. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { schemathesis } from "../setup/schemathesis.mjs";
import { startServer, TOKEN, udfBody, wireUdf } from "../setup/serve.mjs";

const CODE = "export default (n: number = 1) => n;";
/** The seed of the quick form, whose requests are always the same. */
const SEED = 20_240_229;

/**
 * Checks that hold for whatever is sent. Not those that judge whether a request was right by how it was generated, before things that are
 * there were put into it (`negative_data_rejection`, `positive_data_acceptance`), nor `ignored_auth`: wrong tokens soon are 429; the
 * table of matrix.mjs has every route without a token. Nor `allow_header_conformance`: `/server/v1/run` is for GET as well, as the link
 * `/{token}/{slug}/run`, which the document cannot say.
 */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
];

export function schemaCases({ isLong }) {
  const least = isLong ? 2000 : 200;
  return {
    [`${least} requests made from the OpenAPI document: every answer is as it says`]: async () => {
      const python = await schemathesis();
      const folder = mkdtempSync(join(tmpdir(), "fuselet-schema-"));
      await using server = await startServer({ args: ["--allow-cache"] });
      try {
        const file = join(folder, "known-things.json");
        writeFileSync(file, JSON.stringify(await makeThings(server, isLong ? 40 : 6)));
        const before = await answersByStatus(server);
        const seed = isLong ? Math.floor(Math.random() * 2 ** 31) : SEED;
        const { status, output } = await run(python, { folder, file }, [
          ...["run", `${server.url}/openapi.json`, "--header", `Authorization: Bearer ${TOKEN}`],
          ...["--phases", isLong ? "examples,coverage,fuzzing" : "fuzzing"],
          ...["--max-examples", isLong ? "20" : "2", "--seed", String(seed)],
          ...["--checks", CHECKS.join(","), "--generation-database", "none", "--request-timeout", "30"],
          ...["--continue-on-failure", "--no-color", "--warnings", "off"],
          // Of bodies that are too large, or that Hypothesis leaves out: no fault of the server.
          ...["--suppress-health-check", "all"],
        ]);
        const count = Number(/(\d+) generated/.exec(output)?.[1] ?? 0);
        const after = await answersByStatus(server);
        const right = (after["200"] ?? 0) - (before["200"] ?? 0);
        console.log(`       seed ${seed}: ${count} requests, ${right} of them answered with 200`);
        assert.equal(status, 0, output);
        assert.ok(count >= least, `only ${count} requests:\n${output}`);
        // Else what answers look like where all goes well would hardly be looked at.
        assert.ok(right >= count / 5, `only ${right} of ${count} requests were answered with 200`);
        assert.equal(server.errors(), "");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** How many requests the server has answered, by status. */
async function answersByStatus(server) {
  const text = await (await server.ask("GET", "/metrics")).text();
  const counts = {};
  for (const [, status, count] of text.matchAll(
    /^fuselet_request_seconds_count\{.*status="(\d+)"\} (\d+)$/gm,
  ))
    counts[status] = (counts[status] ?? 0) + Number(count);
  return counts;
}

/** @param {{ folder: string, file: string }} where `folder`: it writes there; `file`: the things that there are */
async function run(python, { folder, file }, args) {
  const own = join(import.meta.dirname, "schema");
  const config = ["--config-file", join(own, "schemathesis.toml")];
  const child = spawn(python, ["-m", "schemathesis.cli", ...config, ...args], {
    cwd: folder,
    env: {
      ...process.env,
      SCHEMATHESIS_HOOKS: "known_things",
      KNOWN_THINGS: file,
      PYTHONPATH: own,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONHASHSEED: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  const [status] = await once(child, "close");
  return { status, output };
}

/** Makes some of each kind of thing. @returns rules of schema/known_things.py */
async function makeThings(server, count) {
  const { call } = server;
  const some = async (make) => {
    const made = [];
    for (let i = 0; i < count; i++) made.push(await make(i));
    return made;
  };
  const { id: me, email, handle } = await call("GET", "user/self");
  const links = await some((i) => server.share(`thing_${i}`, CODE, { language: "typescript" }));
  const udfs = links.map(({ id }) => id);
  await Promise.all(
    udfs.map((id, i) =>
      call("POST", `udf/by-id/${id}`, {
        ...udfBody(`thing_${i}`, CODE, "typescript"),
        allow_public_read: true,
        allow_public_list: true,
      }),
    ),
  );
  const collections = await some((i) => call("POST", "collection/new", { name: `things_${i}` }));
  const [canvas] = collections;
  await call("POST", "udf/new", { ...udfBody("shown", CODE, "typescript"), collection_id: canvas.id });
  const { share_token: canvasToken } = await call("POST", `collection/share?collection_id=${canvas.id}`);
  const schedule = {
    ...{ name: "a schedule", enabled: false, udf: udfs[0], udf_args: { n: 1 } },
    ...{ minute: [1], hour: [2], day_of_month: [3], month: [4], day_of_week: [5] },
  };
  const schedules = await some(() => call("POST", "cronjob/create", schedule));
  const udf = wireUdf("given", CODE, "typescript");
  const job = { config: { name: "a-job", steps: [{ type: "udf", udf, input: [{ n: 1 }, { n: 2 }] }] } };
  const jobs = await Promise.all([0, 1, 2].map(() => call("POST", "run", job)));
  const step = { step_config: JSON.stringify({ type: "udf", udf }) };
  const runs = await some(async (i) => {
    const runId = `run-${i}`;
    const headers = { "fused-run-id": runId };
    await server.ask("POST", "realtime/fuselet/api/v1/run/udf/start", step, { headers });
    return runId;
  });
  const paths = await some((i) => `fd://things_${i}/a.txt`);
  for (const path of paths) await call("PUT", `files/upload?path=${path}`, "text");
  const folders = paths.map((path) => path.slice(0, path.lastIndexOf("/")));
  const datasets = [];
  for (const folder of folders)
    datasets.push((await call("POST", `datasets/register-from-url?url=${folder}`)).dataset_id);
  const tokens = await some((i) => call("POST", "user/self/tokens", { name: `token ${i}` }));
  const users = await some((i) => call("POST", "user/new", { email: `thing-${i}@example.org` }));
  const keys = await some((i) => `KEY_${i}`);
  for (const key of keys) await call("POST", `secrets/self/user/${key}`, { value: "v" });

  const ids = (things) => things.map(({ id }) => id);
  const linkTokens = links.map(({ token }) => token);
  const saves = udfs.map((_, i) => udfBody(`thing_${i}`, CODE, "typescript"));
  return [
    // Of the first that fit, what is more narrow comes before what is wider.
    // Whoever asks must not be made a user who may not: there can be other admins by then.
    {
      ...{ path: "/user/by-id/[^/]+$", method: "POST", parameters: { id: users.map(({ user }) => user.id) } },
      body: [{ name: "another" }, { team: "other", permissions: null }, { is_enabled: true }],
    },
    { path: "/user/by-id/[^/]+/tokens$", method: "POST", body: [{ name: "another", expires_in: 60 }] },
    { path: "/user/by-id/", parameters: { id: [...users.map(({ user }) => user.id), me] } },
    { path: "/user/self/tokens/", parameters: { id: ids(tokens) } },
    { path: "/user/self/tokens$", method: "POST", body: [{ name: "another", expires_in: 60 }] },
    { path: "/collection/(share|unshare)", parameters: { collection_id: ids(collections) } },
    { path: "/collection/", parameters: { id: ids(collections), name: collections.map(({ name }) => name) } },
    { path: "/collection/by-id/", method: "POST", body: [{ preview_image_url: "x", passcode: "open" }] },
    { path: "/cronjob/by-udf-id/", parameters: { id: udfs } },
    { path: "/cronjob/", parameters: { id: ids(schedules) }, body: [schedule] },
    { path: "/(run/by-id|job/by-id|logs)/", parameters: { id: jobs.map((one) => one.job_id) } },
    { path: "/v1/run$", body: [job] },
    { path: "/datasets/", parameters: { id: datasets, url: folders, location: folders } },
    { path: "/udf/(new|by-id)", body: saves },
    { path: "/by-user-email/", parameters: { owner: [email] } },
    { path: "/by-user-handle/", parameters: { owner: [handle] } },
    { path: "/run/udf/saved/", parameters: { owner: [handle] } },
    { path: "/udf/shared/by-token/\\{token\\}/", parameters: { token: [canvasToken], slug: ["shown"] } },
    { path: "/session-token/", parameters: { token: [canvasToken] }, body: [{ ttl: 60 }] },
    { path: "^/\\{token\\}/\\{slug\\}/", parameters: { token: [canvasToken], slug: ["shown"] } },
    { path: "^/\\{token\\}/", body: [{}, { n: 1 }] },
    { path: "/udf-access-token/new", body: udfs.map((id) => ({ udf_id: id })) },
    { path: "/udf-access-token/by-token/", method: "POST", body: [{ cache: false, expires_in: 60 }] },
    { path: "/run/udf(/start)?(/tiles.*)?$", body: [step] },
    { path: "/udf-logs$", body: runs.map((id) => ({ log_dir: id })) },
    { path: "/efs/", body: [{ item: "/" }] },
    { path: "/secrets/", body: [{ value: "v" }] },
    { path: "/by-shared-token/", parameters: { value: linkTokens } },
    { path: "/by-udf-id/", parameters: { value: udfs } },
    {
      path: "",
      parameters: {
        ...{ id: udfs, version: [1], slug: udfs.map((_, i) => `thing_${i}`), collection: ["default"] },
        ...{ token: linkTokens, client: ["fuselet"], run_id: runs, key: keys, path: paths },
        ...{ file: ["file.json", "file"], x: [0], y: [0], z: [0] },
      },
    },
  ];
}

/** Every route of /openapi.json, for the owner of the thing, a teammate, a stranger, a shared token, an expired token, nobody, and an admin. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { raw as send, TOKEN, wireUdf } from "../setup/serve.mjs";
import { COLUMNS, TABLE } from "./matrix-table.mjs";

const CODE = "export default () => 1;\n";
const V1 = "/server/v1";
/** How the owner (of users: the admin) sees what is there. */
const SEEN_BY = {
  users: { thing: "user", route: `GET ${V1}/user/all`, column: "admin" },
  udf: { thing: "udf", route: `GET ${V1}/udf/by-id/{id}` },
  versions: { thing: "udf", route: `GET ${V1}/udf/by-id/{id}/versions` },
  collection: { thing: "collection", route: `GET ${V1}/collection/by-id/{id}` },
  link: { thing: "link", route: `GET ${V1}/udf-access-token/by-token/{token}` },
  tokens: { thing: "token", route: `GET ${V1}/user/self/tokens` },
  schedule: { thing: "schedule", route: `GET ${V1}/cronjob/by-id/{id}` },
  history: { thing: "schedule", route: `GET ${V1}/cronjob/by-id/{id}/history` },
  job: { thing: "job", route: `GET ${V1}/run/by-id/{id}` },
  file: { thing: "mountFile", route: `GET ${V1}/efs/{client}/download` },
  secret: { thing: "secret", route: `GET ${V1}/secrets/self/user/{key}` },
  dataset: { thing: "dataset", route: `GET ${V1}/datasets/by-id/{id}` },
};

/** @param {Awaited<ReturnType<typeof import("../setup/serve.mjs").startServer>>} server */
export async function matrixCases(server) {
  const users = {
    owner: await server.addUser("matrix-owner", "matrix"),
    teammate: await server.addUser("matrix-mate", "matrix"),
    stranger: await server.addUser("matrix-stranger", "other"),
    admin: TOKEN,
  };
  const token = users.owner;
  const call = (method, path, body) => server.call(method, path, body, { token });
  const timed = await call("POST", "user/self/tokens", { name: "soon over", expires_in: 1 });
  let count = 0;
  const fresh = () => `thing_${++count}`;
  const saved = async (fields) => {
    const slug = fresh();
    const options = { language: "typescript", token, ...fields };
    const { id } = await server.save(slug, CODE, options);
    return { id, slug, collection: "default", owner: "matrix-owner", version: 1, z: 0, x: 0, y: 0 };
  };
  /** Links that have expired take a second to do so: one of each kind is made beforehand. */
  const share = (fields) => call("POST", "udf-access-token/new", fields);
  const expiredUdf = await saved();
  const expiredLink = (await share({ udf_id: expiredUdf.id, expires_in: 1 })).token;

  const file = async (put) => {
    const folder = fresh();
    const response = await put(folder);
    assert.equal(response.status, 200, await response.text());
    return { file: `${folder}/a.txt`, folder };
  };
  const upload = (folder) => server.ask("PUT", `files/upload?path=fd://${folder}/a.txt`, "text", { token });
  const form = (folder) => {
    const data = new FormData();
    // The folder must come before the file.
    data.set("dir", `/${folder}`);
    data.set("file", new Blob(["text"]), "a.txt");
    return data;
  };
  const onDisk = async (folder) =>
    fetch(`${server.url}/server/v1/efs/fuselet/upload`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: form(folder),
    });
  const scopeOf = (column) => (column === "shared" ? "public" : "team");

  /** What is made for a cell, by the name in the table. Fields are what its paths, queries and bodies name. */
  const things = {
    udf: () => saved(),
    publicUdf: () => saved({ allow_public_read: true }),
    udfByEmail: async () => ({ ...(await saved()), owner: "matrix-owner@example.org" }),
    async user() {
      const { user } = await server.call("POST", "user/new", { email: `${fresh()}@example.org` });
      return { id: user.id };
    },
    token: () => call("POST", "user/self/tokens", { name: "one" }),
    collection: async () => {
      const { id, name } = await call("POST", "collection/new", { name: fresh() });
      return { id, name };
    },
    async link(column) {
      const own = { z: 0, x: 0, y: 0, file: "file.json" };
      if (column === "expired") return { ...own, token: expiredLink };
      const { id } = await saved();
      return { ...own, token: (await share({ udf_id: id, access_scope: scopeOf(column) })).token };
    },
    async canvas(column) {
      const { id } = await call("POST", "collection/new", { name: fresh(), access_scope: scopeOf(column) });
      const { slug } = await saved({ collection_id: id });
      const { share_token: text } = await call("POST", `collection/share?collection_id=${id}`);
      // Those of collections end when they are taken away.
      if (column === "expired") await call("POST", `collection/unshare?collection_id=${id}`);
      return { token: text, slug, z: 0, x: 0, y: 0, file: "file.json" };
    },
    value: () => ({ value: "some", key: fresh() }),
    tile: () => ({ z: 1, x: 0, y: 0 }),
    async schedule() {
      const { id: udf } = await saved();
      const times = { minute: [1], hour: [1], day_of_month: [1], month: [1], day_of_week: [1] };
      const fields = { name: "m", description: null, enabled: false, udf, udf_args: null, ...times };
      return { id: (await call("POST", "cronjob/create", fields)).id, udf };
    },
    async job() {
      const udf = wireUdf("m", CODE, "typescript");
      const config = { name: "m", steps: [{ type: "udf", udf }] };
      return { id: (await call("POST", "run", { config })).job_id };
    },
    async run() {
      const runId = fresh();
      const code = "export default () => new Promise((resolve) => setTimeout(resolve, 15_000));\n";
      const step = { type: "udf", udf: wireUdf("m", code, "typescript") };
      const body = { step_config: JSON.stringify(step) };
      const headers = { "fused-run-id": runId };
      const ask = (method, path, body) => server.ask(method, path, body, { token, headers });
      const asked = ask("POST", "realtime/fuselet/api/v1/run/udf/start", body);
      const path = `realtime/fuselet/api/v1/run/udf/get/${runId}`;
      while ((await ask("GET", path)).status === 404) await sleep(10);
      // Its log ends with it, and the request for it with its log.
      setTimeout(() => ask("DELETE", path).catch(() => undefined), 500);
      asked.catch(() => undefined);
      return { run_id: runId };
    },
    file: () => file(upload),
    mountFile: () => file(onDisk),
    mountFolder: () => file(onDisk),
    form: () => ({ form: form(fresh()) }),
    async secret() {
      const key = fresh();
      await call("POST", `secrets/self/user/${key}`, { value: "v" });
      return { key };
    },
    async dataset() {
      const { folder } = await file(upload);
      const { dataset_id: id } = await call("POST", `datasets/register-from-url?url=fd://${folder}`);
      return { id, folder };
    },
  };

  const filled = (text, fields) =>
    text.replace(/\{(\w+)\}/g, (whole, name) => (name === "fresh" ? fresh() : (fields[name] ?? whole)));

  let addresses = 0;
  /** Wrong tokens are counted by address. */
  const nextAddress = () => `127.0.1.${1 + (addresses++ % 250)}`;
  /** @param made the thing. Default: a new one */
  const cell = async (route, column, address, made) => {
    const { thing, query, body, raw } = TABLE[route];
    const isLink = route.includes(" /{token}");
    const fields = { client: "fuselet", ...(made ?? (await things[thing]?.(isLink ? column : "owner"))) };
    const [method, path] = route.split(" ");
    const url = `${server.url}${filled(path, fields)}${query ? `?${filled(query, fields)}` : ""}`;
    const texts = {
      ...users,
      ...(isLink ? {} : { shared: sharedToken, expired: timed.token }),
    };
    const headers = texts[column] ? { authorization: `Bearer ${texts[column]}` } : {};
    let sent = raw;
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      sent = filled(JSON.stringify(body), fields);
    } else if (raw !== undefined) headers["content-type"] = "application/octet-stream";
    else if (fields.form) {
      const response = new Response(fields.form);
      headers["content-type"] = response.headers.get("content-type");
      sent = Buffer.from(await response.arrayBuffer());
    }
    const answer = await send(url, { method, headers, body: sent, localAddress: address });
    return answer;
  };
  const { id } = await saved();
  const sharedToken = (await share({ udf_id: id })).token;
  await sleep(1100);

  /** Waits for the end of a job: until then it changes by itself. */
  const ended = async (job) => {
    while (!(await call("GET", `run/by-id/${job.id}`)).terminal_status) await sleep(20);
  };

  const routes = async () => {
    const { paths } = await (await fetch(`${server.url}/openapi.json`)).json();
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  };

  return {
    "the table has every route, and no other": async () => {
      assert.deepEqual(Object.keys(TABLE).sort(), (await routes()).sort());
    },
    ...Object.fromEntries(
      Object.entries(TABLE).map(([route, { statuses }]) => [
        `who may: ${route}`,
        async () => {
          const answers = await Promise.all(COLUMNS.map((column) => cell(route, column, nextAddress())));
          const wrong = answers.flatMap(({ status, text }, at) => {
            const wanted = [statuses[at]].flat();
            return wanted.includes(status)
              ? []
              : [`${COLUMNS[at]}: ${status}, not ${wanted}: ${text.slice(0, 200)}`];
          });
          assert.equal(wrong.join("\n"), "");
        },
      ]),
    ),
    "what is the owner's is as it was after others tried": async () => {
      const made = {};
      for (const thing of new Set(Object.values(SEEN_BY).map(({ thing }) => thing)))
        made[thing] = await things[thing]("owner");
      const seen = async () => {
        const bodies = {};
        for (const [name, { route, thing, column = "owner" }] of Object.entries(SEEN_BY))
          bodies[name] = (await cell(route, column, nextAddress(), made[thing])).text;
        return bodies;
      };
      await ended(made.job);
      const before = await seen();
      let tried = 0;
      for (const [route, { thing, statuses }] of Object.entries(TABLE)) {
        if (route.startsWith("GET ") || !made[thing]) continue;
        for (const [at, column] of COLUMNS.entries()) {
          if (column === "owner" || !(statuses[at] >= 400)) continue;
          const { status, text } = await cell(route, column, nextAddress(), made[thing]);
          tried++;
          assert.ok(status >= 400, `${route}, ${column}: ${status} ${text}`);
        }
      }
      assert.ok(tried > 100, `only ${tried} attempts`);
      assert.deepEqual(await seen(), before);
    },
  };
}

/** Users as an admin has them: grants that change, users that are disabled and deleted while their UDFs run, tokens that are taken away. */
import assert from "node:assert/strict";
import { wireUdf } from "../setup/serve.mjs";
import { eventually } from "../soak/processes.mjs";

const RUN = "realtime/fuselet/api/v1/run/udf";
/** Runs longer than anybody waits. */
const FOREVER = `export default () => {
  console.log("begun");
  return new Promise((resolve) => setTimeout(resolve, 60_000));
};
`;
const FETCHES = `export default async () => (await fetch("http://127.0.0.1:9/")).status;\n`;

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function userCases({ server, get }) {
  const { call, ask } = server;
  const stepOf = (code) => ({
    step_config: JSON.stringify({ type: "udf", udf: wireUdf("u", code, "typescript") }),
  });
  const add = (handle) => call("POST", "user/new", { email: `${handle}@example.org`, handle, team: "users" });
  const change = (id, changes) => call("POST", `user/by-id/${id}`, changes);
  const statusOf = async (token) => (await ask("GET", "user/self", undefined, { token })).status;
  /** Starts a run, and its stream of output once it has begun. */
  const start = async (token, runId) => {
    const headers = { "fused-run-id": runId };
    const answer = await ask("POST", `${RUN}/start`, stepOf(FOREVER), { token, headers });
    assert.equal(answer.status, 202, await answer.text());
    return ask("GET", `${RUN}/get/${runId}/logs`, undefined, { token });
  };

  return {
    "a denial says what whoever runs the server can grant, and an admin what a user may do": async () => {
      const { user, token } = await add("granted");
      const messageOf = async () => {
        const answer = await ask("POST", RUN, stepOf(FETCHES), { token });
        return (await answer.json()).message;
      };
      assert.match(
        await messageOf(),
        /net access to "127\.0\.0\.1:9".*fuselet serve --allow-net=127\.0\.0\.1:9/,
      );
      await change(user.id, { permissions: { deny: { net: true } } });
      assert.match(await messageOf(), /net access to "127\.0\.0\.1:9", which is denied here/);
      assert.doesNotMatch(await messageOf(), /--/);
    },

    "a TypeScript UDF knows who runs it, and has no token; by a link nobody is signed in": async () => {
      const code = `import { api } from "fuselet/udf";
export default async ({ what = "whoami" }: { what?: "whoami" | "teamInfo" }) => api[what]();
`;
      const { user, token } = await add("asking");
      const answer = await ask("POST", RUN, stepOf(code), { token });
      assert.deepEqual(await answer.json(), {
        ...{ id: user.id, email: "asking@example.org", handle: "asking", name: "asking" },
        ...{ executionEnvironmentId: "users", isAdmin: false },
      });
      const { token: link } = await server.share("asks", code, { language: "typescript", token });
      const messageOf = async (query) => (await (await get(`${link}/run?${query}`)).json()).message;
      assert.match(await messageOf("what=whoami"), /nobody is signed in to this run/);
      assert.match(await messageOf("what=teamInfo"), /a UDF gets no token of its user/);
    },

    "who is disabled has no run, stream, job or link that goes on": async () => {
      const { user, token } = await add("disabled");
      const { id } = await server.save("forever", FOREVER, { language: "typescript", token });
      const { token: link } = await call("POST", "udf-access-token/new", { udf_id: id }, { token });
      const stream = await start(token, "disabled");
      const byLink = get(`${link}/run`);
      const step = { type: "udf", udf: wireUdf("u", FOREVER, "typescript") };
      const { job_id: job } = await call("POST", "run", { config: { steps: [step] } }, { token });
      await eventually("the job runs", async () => {
        const { job_status } = await call("GET", `run/by-id/${job}`, undefined, { token });
        return job_status === "Running";
      });
      await change(user.id, { is_enabled: false });
      assert.match(await stream.text(), /begun/);
      assert.equal((await byLink).status, 403);
      assert.deepEqual([await statusOf(token), (await get(`${link}/run`)).status], [401, 404]);
      await eventually("nothing runs", async () => (await server.metric("fuselet_runs")) === 0);
      await change(user.id, { is_enabled: true });
      assert.equal(await statusOf(token), 200);
      const { job_status } = await call("GET", `run/by-id/${job}`, undefined, { token });
      assert.equal(job_status, "Canceled");
    },

    "a token that ends while its stream goes on ends the stream; the run is the user's, and goes on":
      async () => {
        const { token } = await add("expiring");
        const short = await call("POST", "user/self/tokens", { name: "short", expires_in: 3 }, { token });
        const child = await call("POST", "user/self/tokens", { name: "child" }, { token: short.token });
        assert.equal(child.expires, short.expires);
        const stream = await start(short.token, "expiring");
        assert.doesNotMatch(await stream.text(), /event: end/);
        assert.deepEqual([await statusOf(short.token), await statusOf(child.token)], [401, 401]);
        const path = `${RUN}/get/expiring`;
        assert.equal((await ask("GET", path, undefined, { token })).status, 202);
        assert.equal((await ask("DELETE", path, undefined, { token })).status, 204);
      },

    "who is deleted is gone with secrets and UDFs, also for a user of the same name": async () => {
      const { user, token } = await add("deleted");
      const { id } = await server.save("left", FOREVER, { language: "typescript", token });
      await call("POST", "secrets/self/user/API_KEY", { value: "of the first one" }, { token });
      assert.equal(await call("DELETE", `user/by-id/${user.id}`), true);
      const next = await add("deleted");
      assert.equal(await statusOf(token), 401);
      const asNext = { token: next.token };
      assert.equal((await ask("GET", "secrets/self/user/API_KEY", undefined, asNext)).status, 404);
      assert.equal((await ask("GET", `udf/by-id/${id}`, undefined, asNext)).status, 404);
    },

    "the last admin cannot be taken away": async () => {
      const { id } = await call("GET", "user/self");
      for (const changes of [{ is_admin: false }, { is_enabled: false }]) {
        const answer = await ask("POST", `user/by-id/${id}`, changes);
        assert.equal(answer.status, 409, await answer.text());
      }
    },
  };
}

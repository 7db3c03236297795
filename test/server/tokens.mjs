/** Tokens: wrong ones, the first one, and where they are not written. */
import assert from "node:assert/strict";
import { raw, startServer, TOKEN } from "../setup/serve.mjs";
import { ROWS } from "./udfs.mjs";

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function tokenCases({ server, link, get }) {
  return {
    "wrong tokens are 429 after a while, from that address only": async () => {
      const ask = (localAddress, token) =>
        raw(server.url, {
          path: "/server/v1/user/self",
          headers: { authorization: `Bearer ${token}` },
          localAddress,
        });
      assert.equal((await ask("127.0.0.2", TOKEN)).status, 200);
      const statuses = [];
      for (let i = 0; i < 40; i++) statuses.push((await ask("127.0.0.2", `wrong-${i}`)).status);
      assert.deepEqual(statuses, [...Array(30).fill(401), ...Array(10).fill(429)]);
      assert.match((await ask("127.0.0.2", "wrong")).headers["retry-after"], /^\d{1,2}$/);
      assert.equal((await ask("127.0.0.1", TOKEN)).status, 200);
      assert.equal((await ask("127.0.0.3", "wrong")).status, 401);
      // Whoever shares an address with them is still served.
      assert.equal((await ask("127.0.0.2", TOKEN)).status, 200);
    },

    "the first start shows a token once, which stays valid": async () => {
      await using first = await startServer({ hasToken: false });
      const token = /shown this once: (\S+)/.exec(first.errors())?.[1];
      assert.ok(token, first.errors());
      const statusOf = async (server, token) =>
        (await server.ask("GET", "user/self", undefined, { token })).status;
      assert.equal(await statusOf(first, token), 200);
      assert.equal(await first.end(), 0);
      await using second = await startServer({ hasToken: false, data: first.data });
      assert.equal(await statusOf(second, token), 200);
      assert.equal(await statusOf(second, `${token}x`), 401);
      assert.equal(await second.end(), 0);
      assert.equal(second.errors(), "");
    },

    "tokens stand in no log": async () => {
      const token = await link("rows", ROWS);
      assert.equal((await get(`${token}/run`)).status, 200);
      await get("fsh_wrong-token-in-the-path/run");
      await server.ask("GET", "user/self", undefined, { token: "wrong-token-in-a-header" });
      assert.doesNotMatch(server.errors(), new RegExp(`${token}|wrong-token|${TOKEN}`));
      assert.match(server.errors(), /"status":200/);
    },

    "metrics and health need no token, and show none": async () => {
      const metrics = await (await get("metrics")).text();
      assert.match(metrics, /^fuselet_runs_total\{outcome="ok"\} [1-9]/m);
      assert.doesNotMatch(metrics, new RegExp(`fsh_|${TOKEN}`));
      assert.equal((await (await get("healthz")).json()).status, "ok");
    },
  };
}

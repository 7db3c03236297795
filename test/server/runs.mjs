/** Runs under way: their output, clients that go away, too many at once, and the end of the server. */
import assert from "node:assert/strict";
import { raw, startServer, TOKEN, wireUdf } from "../setup/serve.mjs";
import { eventually } from "../soak/processes.mjs";
import { LOOP, PRINTS, ROWS } from "./udfs.mjs";

const REALTIME = "/server/v1/realtime/fuselet/api/v1/run/udf";
/** The runs of one user that may wait. */
const MOST_WAITING = 200;

/** The step of a run of a TypeScript UDF, as clients send it. */
function stepOf(name, code) {
  return { step_config: JSON.stringify({ type: "udf", udf: wireUdf(name, code, "typescript") }) };
}

/** The events of a stream. */
async function* readEvents(answer) {
  let text = "";
  for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => line.split(/: (.*)/, 2)),
      );
      text = text.slice(end + 2);
      yield { event: fields.event, data: JSON.parse(fields.data) };
    }
  }
}

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function underWayCases({ server, link, get }) {
  return {
    "what a run prints is streamed while it goes on": async () => {
      const { ask } = server;
      const start = async (id, code) => {
        const headers = { "fused-run-id": id };
        const running = ask("POST", `${REALTIME}/start`, stepOf(id, code), { headers });
        let stream;
        await eventually("the run can be asked for", async () => {
          stream = await ask("GET", `${REALTIME}/get/${id}/logs`);
          if (stream.status === 200) return true;
          await stream.text();
          return false;
        });
        assert.match(stream.headers.get("content-type"), /^text\/event-stream/);
        return { running, events: readEvents(stream) };
      };
      const endless = await start("endless", `export default () => { console.log("begun"); for (;;); };`);
      assert.deepEqual((await endless.events.next()).value, { event: "stdout", data: "begun\n" });
      assert.equal((await ask("DELETE", `${REALTIME}/get/endless`)).status, 204);
      await endless.running;

      const { running, events } = await start("streamed", PRINTS);
      assert.deepEqual(await Array.fromAsync(events), [
        { event: "stdout", data: "begun\n" },
        { event: "stdout", data: "done\n" },
        { event: "end", data: 200 },
      ]);
      const first = await running;
      // Where the run took its time.
      const answer = first.status === 202 ? await ask("GET", `${REALTIME}/get/streamed`) : first;
      assert.deepEqual([answer.status, await answer.json()], [200, "the end"]);
    },

    "clients that go away cancel their runs: the isolates are free again": async () => {
      const loop = await link("loop", LOOP, "typescript");
      const gone = new AbortController();
      // More than there are isolates.
      const asked = Array.from({ length: 12 }, () =>
        get(`${loop}/run`, { signal: gone.signal }).catch((error) => error.name),
      );
      await eventually("all have arrived", async () => (await server.metric("fuselet_runs")) === 12);
      gone.abort();
      assert.deepEqual(await Promise.all(asked), Array(12).fill("AbortError"));
      await eventually("no run is under way", async () => (await server.metric("fuselet_runs")) === 0);
      assert.equal((await get(`${await link("rows", ROWS)}/run/file.csv`)).status, 200);
    },

    "too many runs of one user's links are 429 with Retry-After; others, and the owner's own, go on":
      async () => {
        const loop = await link("loop", LOOP, "typescript");
        const other = await server.addUser("other", "b");
        const gone = new AbortController();
        const count = MOST_WAITING + 30;
        const asked = Array.from({ length: count }, () =>
          get(`${loop}/run`, { signal: gone.signal }).then(
            async (answer) => [answer.status, answer.headers.get("retry-after"), await answer.text()],
            (error) => error.name,
          ),
        );
        const waiting = () => server.metric("fuselet_runs_waiting");
        await eventually("as many wait as may", async () => (await waiting()) === MOST_WAITING);
        const refused = await Promise.race(asked);
        assert.deepEqual(refused.slice(0, 2), [429, "1"]);
        const [, underWay] = /Too many runs: (\d) are under way and 200 wait/.exec(refused[2]);
        const most = MOST_WAITING + Number(underWay);
        const body = stepOf("one", "export default () => 1;");
        const admitted = [TOKEN, other].map((token) =>
          server.ask("POST", `${REALTIME}/start`, body, { token }),
        );
        for (const answer of admitted) assert.ok([200, 202].includes((await answer).status));
        // By links and by the owner at once: still one isolate is for others.
        const own = Array.from({ length: 20 }, () =>
          server.ask("POST", REALTIME, stepOf("loop", LOOP), { signal: gone.signal }).catch(() => {}),
        );
        await eventually("the owner's wait, too", async () => (await waiting()) > MOST_WAITING);
        const signal = AbortSignal.timeout(10_000);
        assert.equal((await server.ask("POST", REALTIME, body, { token: other, signal })).status, 200);
        gone.abort();
        await Promise.all(own);
        const ends = await Promise.all(asked);
        assert.equal(ends.filter((end) => end[0] === 429).length, count - most);
        assert.equal(ends.filter((end) => end === "AbortError").length, most);
        await eventually("no run is under way", async () => (await server.metric("fuselet_runs")) === 0);
        assert.equal((await get(`${await link("rows", ROWS)}/run`)).status, 200);
      },

    "SIGTERM: a run under way ends with 200, new connections are refused, and it exits with 0": async () => {
      await using server = await startServer();
      const { token } = await server.share("prints", PRINTS, { language: "typescript" });
      const running = fetch(`${server.url}/${token}/run?ms=2000`);
      await eventually("the run is under way", async () => (await server.metric("fuselet_runs")) === 1);
      const exit = server.end();
      const isRefused = () =>
        raw(server.url, { path: "/healthz" }).then(
          () => false,
          ({ code }) => code === "ECONNREFUSED",
        );
      await eventually("new connections are refused", isRefused, 1500);
      const answer = await running;
      assert.deepEqual([answer.status, await answer.json()], [200, "the end"]);
      assert.equal(await exit, 0);
      assert.equal(server.errors(), "");
    },
  };
}

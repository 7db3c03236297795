/** Mixed load for long: every answer is right, and the server's memory stays flat. Linux only: it reads /proc. */
import assert from "node:assert/strict";
import { Pool } from "undici";
import { startServer, TOKEN, udfBody } from "../setup/serve.mjs";
import { descendants, residentBytes } from "../soak/processes.mjs";

const TILE = `import fused


@fused.udf
def udf(bounds: fused.types.Bounds = None):
    return {"west": bounds[0]}
`;
const SQUARE = "export default ({ n = 0 }: { n?: number }) => ({ n, square: n * n });";
const CUBE = `import fused


@fused.udf
def udf(n: int = 0):
    print("cubing", n)
    return {"n": n, "cube": n**3}
`;
const FAILS = `import fused


@fused.udf
def udf(n: int = 0):
    raise ValueError(f"no {n}")
`;
const CONNECTIONS = 16;

/** The median of the last values: a collection that is just due does not count. */
const settled = (values) => values.slice(-9).sort((a, b) => a - b)[Math.min(4, values.length >> 1)];

export function loadCases({ isLong }) {
  const total = isLong ? 500_000 : 2000;
  return {
    [`${total} requests of all kinds: no error, and no growth of memory`]: async () => {
      await using server = await startServer({ args: ["--allow-cache", "--isolates", "8"] });
      const pool = new Pool(server.url, { connections: CONNECTIONS });
      const send = async (method, path, { body, isOpen = false, status = 200 } = {}) => {
        const headers = {
          ...(isOpen ? {} : { authorization: `Bearer ${TOKEN}` }),
          ...(typeof body === "object" && !(body instanceof Uint8Array)
            ? { "content-type": "application/json" }
            : {}),
        };
        const answer = await pool.request({
          method,
          path,
          headers,
          body: body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body),
        });
        const text = await answer.body.text();
        assert.equal(
          answer.statusCode,
          status,
          `${method} ${path}: ${answer.statusCode} ${text.slice(0, 300)}`,
        );
        return text;
      };
      try {
        const tile = (await server.share("tile", TILE)).token;
        const square = (await server.share("square", SQUARE, { language: "typescript" })).token;
        const cube = (await server.share("cube", CUBE)).token;
        const fails = (await server.share("fails", FAILS)).token;
        const saved = [];
        for (let i = 0; i < 20; i++) saved.push((await server.share(`saved-${i}`, CUBE)).id);
        const bytes = new Uint8Array(10_000).fill(7);
        /** Of a hundred requests: most are for tiles that are kept, as on a map. */
        const kinds = [
          ...Array(70).fill(async (i) => {
            const x = i % 16;
            const text = await send("GET", `/${tile}/run/tiles/4/${x}/3.json?cache_max_age=1d`, {
              isOpen: true,
            });
            assert.equal(JSON.parse(text).west, (x / 16) * 360 - 180);
          }),
          ...Array(8).fill(async (i) => {
            const text = await send("GET", `/${square}/run/file.json?n=${i}`, { isOpen: true });
            assert.equal(JSON.parse(text).square, i * i);
          }),
          ...Array(4).fill(async (i) => {
            const n = i % 1000;
            const text = await send("GET", `/${cube}/run/file.json?n=${n}`, { isOpen: true });
            assert.equal(JSON.parse(text).cube, n ** 3);
          }),
          ...Array(2).fill((i) =>
            send("GET", `/${fails}/run/file.json?n=${i}`, { isOpen: true, status: 422 }),
          ),
          ...Array(4).fill((i) =>
            send("PUT", `/server/v1/files/upload?path=fd://load/${i % 50}`, { body: bytes }),
          ),
          ...Array(4).fill(() => send("GET", "/server/v1/files/list?path=fd://load/")),
          ...Array(3).fill(() => send("GET", "/server/v1/udf/self?limit=10")),
          ...Array(2).fill(() => send("GET", "/server/v1/user/self")),
          ...Array(2).fill(() => send("GET", "/healthz", { isOpen: true })),
          (i) =>
            send("POST", `/server/v1/udf/by-id/${saved[i % saved.length]}`, { body: udfBody("saved", CUBE) }),
        ];
        await send("PUT", "/server/v1/files/upload?path=fd://load/0", { body: bytes });
        const pids = () => [server.child.pid, ...descendants(server.child.pid)];
        const memory = () => pids().reduce((sum, pid) => sum + residentBytes(pid), 0);
        const samples = [];
        let sent = 0;
        const worker = async () => {
          while (sent < total) {
            const i = sent++;
            // A prime step, so that kinds are mixed and each has its share.
            await kinds[(i * 37) % kinds.length](i);
            if (i % (total / 40) === 0) samples.push(memory());
          }
        };
        await Promise.all(Array.from({ length: CONNECTIONS }, worker));
        const warm = settled(samples.slice(0, 20));
        const last = settled(samples);
        const say = (value) => `${Math.round(value / 2 ** 20)} MB`;
        console.log(`       memory of all processes: ${say(warm)} at half, ${say(last)} at the end`);
        assert.ok(last < warm * 1.15 + 32 * 2 ** 20, `memory grew from ${say(warm)} to ${say(last)}`);
        assert.equal(server.errors(), "");
      } finally {
        await pool.close();
      }
    },
  };
}

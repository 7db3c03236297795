import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openVault } from "../secrets/vault.node.ts";
import type { SqliteStore } from "../store/store.node.ts";
import { type Collections, openCollections } from "./collections.ts";
import { openTestStore, type TestStore } from "./fixtures/store.ts";
import { makeLog } from "./log.ts";
import { Metrics } from "./metrics.ts";
import type { User } from "./parts.ts";
import { openRegistry, type Registry } from "./registry.ts";
import { openSharedTokens, type SharedTokens } from "./shared-tokens.ts";
import { openSweep, type Sweep, type SweepOptions } from "./sweep.ts";
import { type UdfEpochs, udfEpochs } from "./udf-epochs.ts";
import { openUsers } from "./users.ts";

const MINUTE = 60_000;
const NOTHING = { jobs: 0, udfs: 0, tokens: 0, epochs: 0 };
const TILE = { z: 1, x: 0, y: 0 };
const BODY = JSON.stringify({ code: "def udf():\n    return 1\n" });

let db: TestStore;
let store: SqliteStore;
let collections: Collections;
let registry: Registry;
let tokens: SharedTokens;
let epochs: UdfEpochs;
let metrics: Metrics;
let opened: ReturnType<typeof openVault>;
let ada: User;
let now: number;
/** What the jobs were told of the clock, at each sweep. */
let clocks: boolean[];
let logged: string[];

beforeEach(async () => {
  db = openTestStore();
  store = db.store;
  const users = openUsers(store);
  collections = openCollections(store);
  registry = openRegistry(store, users, collections);
  opened = openVault(join(db.folder, "secrets"), undefined);
  const { vault } = opened;
  logged = [];
  const log = makeLog((line) => logged.push(line));
  tokens = openSharedTokens({ store, vault, users, registry, collections, log });
  epochs = udfEpochs(store);
  metrics = new Metrics();
  ada = await users.add({ email: "ada@example.com" });
  now = Date.parse("2026-03-02T10:00:00Z");
  clocks = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await opened.close();
  await db.close();
});

function open(more: Partial<SweepOptions> = {}): Sweep {
  const jobs = { sweep: async (_pause: unknown, isRight: boolean) => clocks.push(isRight) && 0 };
  const log = makeLog((line) => logged.push(line));
  const parts = { store, registry, sharedTokens: tokens, epochs, log, metrics, now: () => now };
  return openSweep({ ...parts, jobs: jobs as unknown as SweepOptions["jobs"], ...more });
}

/** A UDF in a collection, with tokens and epochs. */
async function fill() {
  const collection = await collections.add(ada, { name: "canvas" });
  const udf = await registry.save(ada, { slug: "u", body: BODY, collectionId: collection.id });
  const own = await tokens.add(ada, udf.id, {});
  const shared = await tokens.share(collection, { clientId: null, anew: false });
  await epochs.forget(udf.id, undefined);
  await epochs.forget(udf.id, TILE);
  return { collection, udf, own, shared };
}
const keysOf = async (collection: string) => (await store.list(`server.${collection}`)).map(({ key }) => key);

test("nothing that is in use is removed", async () => {
  const { udf, own, shared } = await fill();
  const epoch = await epochs.of(udf.id, TILE);
  expect(await open().run()).toEqual(NOTHING);
  expect((await tokens.open(own.token)).udf.id).toBe(udf.id);
  expect((await tokens.open(shared.token, "u", { user: ada })).udf.id).toBe(udf.id);
  expect(await epochs.of(udf.id, TILE)).toBe(epoch);
});

test("what is left where somebody was killed while a collection was deleted goes at the next sweep", async () => {
  const { collection, udf } = await fill();
  const other = await registry.save(ada, { slug: "other", body: BODY });
  await collections.delete(collection);
  expect(await open().run()).toEqual({ ...NOTHING, udfs: 1, tokens: 2, epochs: 1 });
  expect(await registry.byId(udf.id)).toBeNull();
  expect(await keysOf("udfs")).toEqual([other.id]);
  for (const index of ["shared-tokens", "user-shared-tokens", "collection-tokens", "udf-epochs"])
    expect(await keysOf(index)).toEqual([]);
  expect(await opened.vault.list("server/shared-tokens")).toEqual([]);
  expect(metrics.text()).toContain('fuselet_swept_total{what="tokens"} 2');
});

test("texts that no token has go an hour later, and those that have one stay", async () => {
  const { own, collection } = await fill();
  await tokens.setPasscode(collection, "open");
  const { vault } = opened;
  await vault.write("server/shared-tokens", `t.${"0".repeat(64)}`, "fsh_lost");
  await vault.write("server/passcodes", "t.gone", "lost");
  const count = async () =>
    (await Promise.all(["shared-tokens", "passcodes"].map((kind) => vault.list(`server/${kind}`)))).map(
      ({ length }) => length,
    );
  await open().run();
  // One may be written just now, and its token in a moment.
  expect(await count()).toEqual([3, 2]);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61 * MINUTE });
  await open().run();
  expect(await count()).toEqual([2, 1]);
  expect(await tokens.passcodeOf(collection)).toBe("open");
  expect((await tokens.byText(own.token))?.token).toBe(own.token);
});

test("a sweep that is broken off at any moment is gone on with by the next one", async () => {
  const { collection } = await fill();
  await collections.delete(collection);
  const { transact } = store;
  for (let left = 0; left < 8; left++) {
    let count = left;
    store.transact = (...args) => (count-- > 0 ? transact(...args) : Promise.reject(new Error("killed")));
    await open()
      .run()
      .catch(() => {});
  }
  store.transact = transact;
  expect(logged.length).toBeGreaterThan(0);
  await open().run();
  for (const index of ["udfs", "shared-tokens", "user-shared-tokens", "collection-tokens", "udf-epochs"])
    expect(await keysOf(index)).toEqual([]);
});

test("ages are believed by a clock that went on since the last sweep, and by no other", async () => {
  const sweep = async (ms: number) => {
    now += ms;
    await open().run();
  };
  const year = 365 * 24 * 60 * MINUTE;
  for (const ms of [0, 30 * MINUTE, year, 30 * MINUTE, -year, 30 * MINUTE]) await sweep(ms);
  expect(clocks).toEqual([false, true, false, true, false, true]);
});

test("a sweep ends with its server, in the middle of it", async () => {
  const { collection } = await fill();
  await collections.delete(collection);
  let stop: Promise<void> | undefined;
  const sweep = open({
    pause: async () => {
      stop ??= sweep.stop();
    },
  });
  await sweep.start();
  await sweep.run();
  await stop;
  expect((await keysOf("shared-tokens")).length).toBe(2);
  expect(logged).toEqual([]);
});

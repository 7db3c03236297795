import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "./fixtures/store.ts";
import { type UdfEpochs, udfEpochs } from "./udf-epochs.ts";

let db: TestStore;
let epochs: UdfEpochs;
beforeEach(() => {
  db = openTestStore();
  epochs = udfEpochs(db.store);
});
afterEach(() => db.close());

const tile = (x: number) => ({ z: 20, x, y: 0 });
const kept = async () => (await db.store.list("server.udf-epochs", { limit: 1000 })).map(({ key }) => key);

test("what is forgotten belongs to something else from then on, and to nothing that was there before", async () => {
  const seen = new Set<string>();
  const look = async () => {
    const now = await Promise.all([epochs.of("u", undefined), epochs.of("u", tile(1))]);
    for (const epoch of now) expect(seen).not.toContain(epoch);
    for (const epoch of now) seen.add(epoch);
  };
  await look();
  const other = await epochs.of("u", tile(2));
  await epochs.forget("u", tile(1));
  expect(await epochs.of("u", tile(2))).toBe(other);
  seen.delete(await epochs.of("u", undefined));
  await look();
  for (let times = 0; times < 3; times++) {
    await epochs.forget("u", undefined);
    await look();
  }
  expect(await kept()).toEqual(["u"]);
});

test("a UDF has a thousand tiles that were forgotten; with another one all are", async () => {
  for (let x = 0; x < 1000; x++) await epochs.forget("u", tile(x));
  const before = await epochs.of("u", tile(5000));
  expect(await kept()).toHaveLength(1000);
  await epochs.forget("u", tile(1000));
  expect(await kept()).toEqual(["u"]);
  expect(await epochs.of("u", tile(5000))).not.toBe(before);
});

test("of a UDF that was deleted nothing is left, and all of others", async () => {
  for (const id of ["u", "u2"]) {
    await epochs.forget(id, undefined);
    await epochs.forget(id, tile(1));
  }
  await epochs.drop("u");
  expect(await kept()).toEqual(["u2", "u2/20/1/0"]);
});

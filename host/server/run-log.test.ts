import { expect, test } from "vitest";
import type { RunResult } from "../../runtime/result.ts";
import type { Runs, ServerRun, User } from "./parts.ts";
import { RunLog } from "./run-log.ts";

const runOf = (id: string, name: string) =>
  ({ as: { owner: { id } as User }, source: { name } }) as unknown as ServerRun;

test("the last runs of each user are remembered, with how they ended", async () => {
  const log = new RunLog();
  const runs = log.watch({
    run: async ({ source: { name } }: ServerRun) => {
      if (name === "bad") throw new TypeError("no");
      return {} as RunResult;
    },
  } as Runs);
  await runs.run(runOf("ada", "good"));
  await expect(runs.run(runOf("ada", "bad"))).rejects.toThrow("no");
  await runs.run({
    ...runOf("bob", "linked"),
    savedId: "1",
    as: { owner: { id: "bob" } as User, shareToken: "hash" },
  });
  expect(log.of([{ id: "ada" }])).toMatchObject([
    { udfName: "good", udfId: null, shareToken: null, error: null },
    { udfName: "bad", error: "TypeError" },
  ]);
  expect(log.of([{ id: "ada" }, { id: "bob" }]).map(({ udfName }) => udfName)).toEqual([
    "good",
    "bad",
    "linked",
  ]);
  expect(log.of([{ id: "bob" }])).toMatchObject([{ udfId: "1", shareToken: "hash" }]);
  for (let count = 0; count < 1005; count++) await runs.run(runOf("ada", String(count)));
  const kept = log.of([{ id: "ada" }]);
  expect([kept.length, kept[0]?.udfName, kept.at(-1)?.udfName]).toEqual([1000, "5", "1004"]);
});

test("of all users, those who ran longest ago are forgotten first", async () => {
  const log = new RunLog();
  const runs = log.watch({ run: async () => ({}) as RunResult } as unknown as Runs);
  for (let user = 0; user < 101; user++)
    for (let count = 0; count < 1000; count++) await runs.run(runOf(`user-${user}`, "x"));
  const lengths = [0, 1, 100].map((user) => log.of([{ id: `user-${user}` }]).length);
  expect(lengths).toEqual([0, 1000, 1000]);
});

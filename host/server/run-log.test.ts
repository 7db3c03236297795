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

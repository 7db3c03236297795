/** The storage in a page: bundled as the global `storage` by suite.mjs. */
import { openStorage } from "../../host/storage/storage.browser.ts";
import { equal, fails } from "../host/check.ts";
import { storageCases } from "../host/storage-cases.ts";
import { openRuns, pattern, type Runs, text, textOf } from "../host/storage-run.ts";

const { drivers } = openStorage();

const ownCases: Readonly<Record<string, () => Promise<void>>> = {
  "principals have folders of their own, whatever their names are": async () => {
    const run = openRuns(drivers);
    const names = ["me", "you", "Me", "../me", "..", "a/b", "ä"];
    for (const [i, principal] of names.entries()) await run({ principal }).put("fd://own/a", text(`${i}`));
    for (const [i, principal] of names.entries())
      equal(textOf(await run({ principal }).get("fd://own/a")), `${i}`);
    run.end();
  },
  "what is more than a principal may hold is refused, and nothing of it stays": async () => {
    const runs = [
      openStorage({ quota: { bytes: 1000, objects: 5 } }),
      openStorage({ quota: { bytes: 1000 } }),
    ];
    const [run, other] = runs.map((storage) => openRuns(storage.drivers)) as [Runs, Runs];
    const storage = run({ principal: "small" });
    const names = async (url: string) =>
      (await storage.list(url, { recursive: true })).entries.map(({ name }) => name);
    await storage.put("fd://a", pattern(600));
    await fails(storage.put("fd://b", pattern(401)), {
      code: "full",
      message: /one principal may hold 1000 bytes/,
    });
    await fails(other({ principal: "small" }).put("fd://b", pattern(401)), { code: "full" });
    equal(await names("fd://"), ["a"]);
    for (let i = 0; i < 20; i++) await storage.put("fd://a", pattern(300));
    await storage.put("fd://f/b", pattern(400));
    await storage.put("fd://f/c", pattern(0));
    await fails(storage.put("fd://f/g/d", pattern(0)), { code: "full" });
    equal(await names("fd://"), ["a", "b", "c"]);
    await fails(storage.details("fd://f/g/"), { code: "not found" });
    await storage.delete("fd://f");
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => run({ principal: "small" }).put(`fd://${i}`, pattern(200))),
    );
    equal(results.filter(({ status }) => status === "fulfilled").length, 3);
    await run({ principal: "large" }).put("fd://a", pattern(1000));
    for (const each of [run, other]) each.end();
    for (const each of runs) await each.close();
  },
};

export const titles = [...Object.keys(storageCases), ...Object.keys(ownCases)];

/** Runs one of the cases in a folder of its own. */
export async function runCase(title: string): Promise<void> {
  const run = openRuns(drivers);
  await (ownCases[title] ?? storageCases[title])!({ run, base: `fd://case-${crypto.randomUUID()}` });
  run.end();
}

/** Writes half of a file, and stays there. */
export async function writeHalf(url: string): Promise<void> {
  const storage = openRuns(drivers)();
  await storage.writePart(await storage.openWrite(url), new Uint8Array(1_000_000));
}

/** Tries to write what is not there. @returns whether it did */
export async function writeNew(url: string, content: string): Promise<boolean> {
  const storage = openRuns(drivers)();
  return storage.put(url, text(content), { ifNoneMatch: true }).then(
    () => true,
    () => false,
  );
}

export async function list(url: string): Promise<string[]> {
  return (await openRuns(drivers)().list(url)).entries.map((entry) => entry.url);
}

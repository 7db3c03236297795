/** The storage in a page: bundled as the global `storage` by suite.mjs. */
import { openStorage } from "../../host/storage/storage.browser.ts";
import { equal } from "../host/check.ts";
import { storageCases } from "../host/storage-cases.ts";
import { openRuns, text, textOf } from "../host/storage-run.ts";

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

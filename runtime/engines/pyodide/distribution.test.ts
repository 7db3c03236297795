import { describe, expect, it } from "vitest";
import type { Assets } from "../../assets.ts";
import { type Distribution, hasPackage, type LockPackage, offerOfDistribution } from "./distribution.ts";
import { interpreterOf } from "./packages.ts";
import { makeWheel } from "./testing.node.ts";

const entry = (name: string, depends: string[] = []): LockPackage => ({
  name,
  version: "1",
  file_name: `${name}-1-py3-none-any.whl`,
  install_dir: "site",
  sha256: "",
  depends,
  imports: [name],
});
const entries = [entry("numpy"), entry("fsspec", ["numpy"]), entry("absent")];
const distribution = {
  interpreter: interpreterOf({ python: "3.12.7", platform: "emscripten_3_1_58" }, "here"),
  packages: new Map(entries.map((each) => [each.name, each])),
} as unknown as Distribution;
const assets = {
  pyodide: { name: "here", has: async (file: string) => !file.startsWith("absent") },
} as unknown as Assets;

describe("offerOfDistribution()", () => {
  const read = async () =>
    makeWheel({
      name: "fsspec",
      version: "1",
      requires: ['aiohttp>=3; extra == "http"', 'paramiko; extra == "sftp"'],
    }).bytes;
  it("gives the dependencies of the lock file, and those of extras from the wheel", async () => {
    const [candidate] = offerOfDistribution(distribution, "fsspec", read)?.candidates ?? [];
    const texts = async (extras: string[]) => (await candidate?.requires(extras))?.map(({ text }) => text);
    expect(await texts([])).toEqual(["numpy"]);
    expect(await texts(["http"])).toEqual(["numpy", 'aiohttp>=3; extra == "http"']);
  });
  it("knows no other names", () => {
    expect(offerOfDistribution(distribution, "unknown", read)).toBeNull();
  });
});

describe("hasPackage()", () => {
  it("tells whether the wheel is here", async () => {
    const names = ["numpy", "absent", "unknown"];
    const found = await Promise.all(names.map((name) => hasPackage(distribution, assets, name)));
    expect(found).toEqual([true, false, false]);
  });
});

import { describe, expect, it } from "vitest";
import type { Assets } from "../../assets.ts";
import { type Distribution, hasPackage, type LockPackage, resolvePackages } from "./distribution.ts";

const entry = (name: string, depends: string[] = []): LockPackage => ({
  name,
  version: "1",
  file_name: `${name}.whl`,
  install_dir: "site",
  sha256: "",
  depends,
  imports: [name],
});
const entries = [entry("numpy"), entry("pandas", ["numpy"]), entry("pyarrow", ["numpy"]), entry("absent")];
const distribution = {
  packages: new Map(entries.map((each) => [each.name, each])),
  providers: new Map(entries.map(({ name }) => [name, name])),
} as unknown as Distribution;
const assets = {
  pyodide: { name: "here", has: async (file: string) => file !== "absent.whl" },
} as unknown as Assets;

describe("resolvePackages()", () => {
  it("brings what a package depends on, and no Arrow library for pandas", async () => {
    const set = await resolvePackages(distribution, assets, ["pandas", "json"]);
    expect(set).toEqual({ names: ["numpy", "pandas"], imports: ["pandas"] });
  });
  it("names the grant where a wheel is missing", async () => {
    await expect(resolvePackages(distribution, assets, ["absent"])).rejects.toThrow("--allow-import=absent");
  });
});

describe("hasPackage()", () => {
  it("tells whether the wheel is here", async () => {
    const names = ["pyarrow", "absent", "unknown"];
    const found = await Promise.all(names.map((name) => hasPackage(distribution, assets, name)));
    expect(found).toEqual([true, false, false]);
  });
});

import { compare } from "@renovatebot/pep440";
import { describe, expect, it } from "vitest";
import type { Candidate, Offer } from "./packages.ts";
import { parseRequirement } from "./packages-requirement.ts";
import { resolveRequirements, type Wanted } from "./packages-resolve.ts";

/** name -> version -> requirements */
type World = Record<string, Record<string, string[]>>;

function placesOf(world: World, asked: string[] = []) {
  const offer = async (name: string): Promise<Offer> => {
    asked.push(name);
    const newestFirst = Object.entries(world[name] ?? {}).sort(([a], [b]) => compare(b, a));
    const candidates = newestFirst.map(
      ([version, requires]): Candidate => ({
        name,
        version,
        isPure: true,
        prereleases: false,
        requires: async (extras) =>
          requires
            .map((text) => text.split("!"))
            .filter(([, extra]) => extra === undefined || extras.includes(extra))
            .map(([text]) => parseRequirement(text as string)),
        lock: async () => {
          throw new Error("not used");
        },
      }),
    );
    return {
      place: "the index",
      candidates,
      refused: name === "foreign" ? ["foreign-1.whl cannot be used: it is for win32"] : [],
    };
  };
  return { offer, expect: async () => {} };
}
const roots = (...texts: string[]): Wanted[] =>
  texts.map((text) => ({ requirement: parseRequirement(text), by: "report.py" }));
const solve = async (world: World, ...texts: string[]) =>
  Object.fromEntries(
    [...(await resolveRequirements(roots(...texts), placesOf(world)))].map(([name, { candidate }]) => [
      name,
      candidate.version,
    ]),
  );

describe("resolveRequirements()", () => {
  it("takes thousands of requirements that are met already, and no more than can be looked through", async () => {
    const many = (n: number) => Array.from({ length: n }, () => "b");
    expect(await solve({ a: { 1: many(9000) }, b: { 1: [] } }, "a", "b")).toEqual({ a: "1", b: "1" });
    await expect(solve({ a: { 1: many(10_001) }, b: { 1: [] } }, "a")).rejects.toThrow(
      /a 1 leads to more than 10000 requirements/,
    );
  });
  it("takes the first version that all requirements allow", async () => {
    const world = { a: { 3: ["c"], 2: ["c"], 1: [] }, b: { 1: ["c<2"] }, c: { 2: [], 1: [] } };
    expect(await solve(world, "a<3", "b")).toEqual({ a: "2", b: "1", c: "1" });
  });
  it("goes back where a choice leads nowhere", async () => {
    const world = { a: { 2: ["c>=2"], 1: ["c"] }, b: { 1: ["c<2"] }, c: { 2: [], 1: [] } };
    expect(await solve(world, "a", "b")).toEqual({ a: "1", b: "1", c: "1" });
  });
  it("goes back past a package that was chosen with others", async () => {
    const world = { a: { 2: ["d==2"], 1: ["d"] }, b: { 2: ["d==1"], 1: ["d==1"] }, d: { 2: [], 1: [] } };
    expect(await solve(world, "a", "b")).toEqual({ a: "1", b: "2", d: "1" });
  });
  it("brings extras, also those that are asked for later, and of itself", async () => {
    const world = { a: { 1: ["c!x", "a[x]!all"] }, b: { 1: ["a[all]"] }, c: { 1: [] } };
    expect(await solve(world, "a", "b")).toEqual({ a: "1", b: "1", c: "1" });
  });
  it("bears circles", async () => {
    expect(await solve({ a: { 1: ["b"] }, b: { 1: ["a"] } }, "a")).toEqual({ a: "1", b: "1" });
  });
  it("leaves out pre-releases, unless somebody names one", async () => {
    const world = { a: { "2.0rc1": [], "1.0": [] } };
    expect(await solve(world, "a")).toEqual({ a: "1.0" });
    expect(await solve(world, "a>=1.0", "a>=2.0rc1")).toEqual({ a: "2.0rc1" });
  });
  it("records the names that each needs", async () => {
    const chosen = await resolveRequirements(
      roots("a"),
      placesOf({ a: { 1: ["c", "b"] }, b: { 1: [] }, c: { 1: [] } }),
    );
    expect(chosen.get("a")?.depends).toEqual(["b", "c"]);
  });
  it.each([
    [{}, ["a"], 'report.py requires "a", and the index has no such package'],
    [{ a: { 1: [] } }, ["a>=2"], 'report.py requires "a>=2", and the index has a 1'],
    [{}, ["foreign"], "the index has no file of it that fits: foreign-1.whl cannot be used: it is for win32"],
    [{ a: { 1: ["b>1"] }, b: { 1: [] } }, ["a"], 'a 1 requires "b>1", and the index has b 1'],
    [
      { a: { 2: [], 1: [] } },
      ["a<2", "a>1"],
      'report.py requires "a<2" and report.py requires "a>1", and the index has a 2, 1',
    ],
    [
      { a: { 1: ["c<2"] }, b: { 1: ["c>=2"] }, c: { 2: [], 1: [] } },
      ["a", "b"],
      'a 1 requires "c<2" and b 1 requires "c>=2"',
    ],
  ] as [World, string[], string][])("says why: %j %j", async (world, texts, message) => {
    await expect(solve(world, ...texts)).rejects.toThrow(message);
  });
  it("gives up where somebody has made it endless", async () => {
    const versions = (requires: string[]) =>
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [String(20 - i), requires]));
    const world: World = { z: { 1: [] } };
    for (let i = 0; i < 10; i++) world[`p${i}`] = versions(i < 9 ? [`p${i + 1}`] : ["z>1"]);
    await expect(solve(world, "p0")).rejects.toThrow(/5000 were tried/);
  });
});

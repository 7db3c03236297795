import { describe, expect, it } from "vitest";
import { scanRequirements } from "./engine.ts";

const scan = (code: string) => scanRequirements({ code, file: "a.py" });

describe("scanRequirements()", () => {
  it.each([
    ["a block", "# /// script\n# dependencies = ['a']\n# ///\nx = 1\n", ["a"]],
    [
      "one further down, with blank lines in it",
      "x = 1\r\n# /// script\r\n# dependencies = [\r\n#\r\n#   'a',\r\n# ]\r\n# ///\r\n",
      ["a"],
    ],
    ["none", "x = 1\n", []],
    ["one without an end", "# /// script\n# dependencies = ['a']\nx = 1\n# ///\n", []],
    ["one with nothing in it", "# /// script\n# ///\n", []],
    ["one of another kind", "# /// other\n# dependencies = ['a']\n# ///\n", []],
    [
      "one after one without an end",
      "# /// script\n# dependencies = ['a']\n\n# /// script\n# dependencies = ['b']\n# ///\n",
      ["b"],
    ],
  ])("reads %s", (_what, code, requirements) => {
    expect(scan(code)).toEqual({ requirements });
  });
  it("names the line of what is no TOML", () => {
    expect(() => scan("\n\n# /// script\n# a b\n# ///\n")).toThrow(
      /^a\.py, line 3: the script block is no TOML/,
    );
  });
  it("takes a time that grows with the text", () => {
    const started = performance.now();
    expect(scan("# /// script\n".repeat(40_000))).toEqual({ requirements: [] });
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

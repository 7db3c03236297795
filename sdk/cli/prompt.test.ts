import { describe, expect, test } from "vitest";
import type { Question } from "../../host/permissions/prompt.ts";
import { questionLines } from "./prompt.ts";
import type { Stream } from "./terminal.ts";

const stderr = { isTTY: true, columns: 72 } as Stream;
const udf = { name: "weather", hash: "abc" };
const lines = (question: Partial<Question>, file = "weather.py") =>
  questionLines({ udf, kind: "request", items: [], ...question }, file, stderr);

describe("questionLines()", () => {
  test("says who asks for what, why, and which flag would do", () => {
    const granted = { permission: "net", value: "api.example.org:443" } as const;
    expect(lines({ items: [{ granted, reason: "To fetch the forecast" }] })).toEqual([
      '┃ Who    "weather", run from weather.py',
      '┃ What   net access to "api.example.org:443"',
      '┃ Why    the UDF says: "To fetch the forecast"',
      "┃ Flag   --allow-net=api.example.org:443",
      "┃",
      "┃ y  this once   r  until the run ends   a  always   n  no",
    ]);
    expect(lines({ items: [{ granted: { permission: "cache", value: "" }, reason: null }] })).toEqual([
      '┃ Who    "weather", run from weather.py',
      "┃ What   cache access",
      "┃ Flag   --allow-cache",
      "┃",
      "┃ y  this once   r  until the run ends   a  always   n  no",
    ]);
  });
  test("lists all that a UDF declares", () => {
    const items: Question["items"] = [
      { granted: { permission: "net", rule: "*.a.org" }, reason: "for tiles" },
      { granted: { permission: "net", rule: "b.org" }, reason: "for tiles" },
      { granted: { permission: "secrets", value: "KEY" }, reason: null },
      { granted: { permission: "secrets", value: "TOKEN", hosts: ["a.org"] }, reason: null },
    ];
    expect(lines({ kind: "declaration", items })).toEqual([
      '┃ Who    "weather", run from weather.py',
      '┃ What   net access to "*.a.org"',
      '┃        net access to "b.org"',
      '┃        secrets access to "KEY", sent to every host that net grants',
      '┃        secrets access to "TOKEN", sent to "a.org"',
      '┃ Why    the UDF says of net: "for tiles"',
      "┃",
      "┃ y  until the run ends   a  always   n  ask when it is used",
    ]);
    const all = items.map(({ granted }) => ({ granted, reason: "for tiles" }));
    expect(lines({ kind: "declaration", items: all })).toContain('┃ Why    the UDF says: "for tiles"');
  });
  test("shows a UDF's texts so that they stay within the frame, in one direction", () => {
    const granted = { permission: "read", value: `/data/${"x ┗ Allow? y ".repeat(40)}` } as const;
    const shown = lines(
      {
        udf: { name: "a\u202eb\n┃ c", hash: "" },
        items: [{ granted, reason: `${"漢".repeat(150)}\u0007\n` }],
      },
      "f\u001b[2J.py",
    );
    expect(shown[0]).toBe('┃ Who    "a\\u202eb\\n│ c", run from f\\u001b[2J.py');
    expect(shown.every((line) => line.startsWith("┃"))).toBe(true);
    expect(shown.slice(1).join("")).not.toMatch(/┗|\u0007|\n/);
    const widthOf = (line: string) =>
      Array.from(line).reduce((sum, each) => sum + (each === "漢" ? 2 : 1), 0);
    expect(Math.max(...shown.map(widthOf))).toBeLessThan(72);
    expect(shown.length).toBeLessThan(20);
    expect(shown.join("\n")).not.toContain("Flag");
  });
});

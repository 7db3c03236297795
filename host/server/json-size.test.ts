import { expect, test } from "vitest";
import { jsonProblem } from "./json-size.ts";

const many = (part: string) => `[${part.repeat(2_000_001)}1]`;

test.each([
  ["numbers", many("1,")],
  ["lists", many("[],")],
  ["objects", many("{},")],
  ["numbers behind texts", `["\\\\","\\"",${many("1,")}]`],
])("millions of %s are too many", (_what, json) => {
  expect(jsonProblem(json)).toMatch("more than 2000000 values");
});

test.each(["[", '{"a":', '["[]",['])("a thousand times %s is too deep", (open) => {
  expect(jsonProblem(open.repeat(1001))).toMatch("deeper than 1000");
});

test.each([
  ["a large text", JSON.stringify(many("1,"))],
  ["some large texts", JSON.stringify(Array(100).fill('[{,\\"'.repeat(10_000)))],
  ["what is deep enough", `${"[".repeat(1000)}${"]".repeat(1000)}`],
  ["what is long and flat", `[${"[],".repeat(900_000)}[]]`],
  ["what is no JSON", `"${many("1,")}`],
])("%s may be read", (_what, json) => {
  expect(jsonProblem(json)).toBeNull();
});

import { expect, test } from "vitest";
import { memoBySource } from "./memo.ts";
import type { UdfSource } from "./udf.ts";

const source = (): UdfSource => ({
  name: "a",
  language: "python",
  code: "x",
  file: "a.py",
  headers: [{ moduleName: "h", file: "h.py", code: "1" }],
  metadata: {},
});

test("computes once for a source, and again when one of its texts changed in place", () => {
  let count = 0;
  const memo = memoBySource(({ code }) => [code, ++count]);
  const one = source();
  expect(memo(one)).toEqual(["x", 1]);
  expect(memo(one)).toEqual(["x", 1]);
  one.code = "y";
  expect(memo(one)).toEqual(["y", 2]);
  (one.headers[0] as { code: string }).code = "2";
  expect(memo(one)).toEqual(["y", 3]);
  (one.headers as unknown[]).length = 0;
  expect(memo(one)).toEqual(["y", 4]);
  expect(memo(source())).toEqual(["x", 5]);
});

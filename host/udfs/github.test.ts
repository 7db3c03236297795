import { describe, expect, test } from "vitest";
import { UdfLoadError } from "../../runtime/errors.ts";
import { readPlace } from "./github.ts";

describe("an address on GitHub", () => {
  test.each([
    ["https://github.com/o/r", "o/r", [], false],
    ["https://github.com/o/r.git", "o/r", [], false],
    ["https://github.com/o/r/", "o/r", [], false],
    ["https://github.com/o/r/tree/main", "o/r", ["main"], false],
    ["https://github.com/o/r/tree/main/public/A_B/", "o/r", ["main", "public", "A_B"], false],
    ["https://github.com/o/r/tree/feature/x/a%20b", "o/r", ["feature", "x", "a b"], false],
    ["https://github.com/o/r/blob/main/udf.py?plain=1#L3", "o/r", ["main", "udf.py"], true],
    ["https://github.com/o/r/blob/main/public/A_B/", "o/r", ["main", "public", "A_B"], false],
    ["https://github.com/o-o/r.r/raw/v1.0/a/udf.ts", "o-o/r.r", ["v1.0", "a", "udf.ts"], true],
  ])("%s is read", (text, repository, parts, isFile) => {
    expect(readPlace(text)).toEqual({ kind: "repository", repository, parts, isFile });
  });

  test.each([
    "https://gist.github.com/ada/0123456789abcdef0123456789abcdef",
    "https://gist.github.com/0123456789abcdef0123456789abcdef#file-udf-py",
  ])("%s is a gist", (text) => {
    expect(readPlace(text)).toEqual({ kind: "gist", id: "0123456789abcdef0123456789abcdef" });
  });

  test.each([
    "",
    "o/r",
    "http://github.com/o/r",
    "https://github.com",
    "https://github.com/o",
    "https://github.com/o/r/issues/1",
    "https://github.com/o/r/blob/main",
    "https://github.com/o/../tree/main/x",
    "https://github.com/o/r/tree/main/%2e%2e/%2e%2e/x/y/z/a",
    "https://github.com/o/r/tree/main/a%2fb",
    "https://github.com/o/r/tree/main/%5c",
    "https://github.com/o/r/tree/main/%00",
    "https://github.com/o/r/tree/main/%ff",
    "https://github.com/-o/r",
    "https://github.com/o/..",
    "https://github.com:444/o/r",
    "https://user@github.com/o/r",
    "https://github.com.evil.example/o/r",
    "https://evil.example/github.com/o/r",
    "https://gist.github.com/ada/short",
    "file:///etc/passwd",
  ])("%s is refused", (text) => {
    // A URL without its `..` may be an address after all: then it must stay within its repository.
    try {
      expect(readPlace(text)).toEqual({
        kind: "repository",
        repository: expect.any(String),
        parts: [],
        isFile: false,
      });
      expect(text).toContain("..");
    } catch (error) {
      expect(error).toBeInstanceOf(UdfLoadError);
    }
  });
});

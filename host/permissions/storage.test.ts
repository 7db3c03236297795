import { describe, expect, test } from "vitest";
import { packageNames, secretNames, udfNames } from "./names.ts";
import { storage } from "./storage.ts";

const allows = (rule: string, value: string) => {
  const canonical = storage.canonical(value);
  return canonical !== null && storage.allows(storage.parse(rule), canonical);
};

describe("storage.allows()", () => {
  test.each([
    ["s3://bucket/a", "s3://bucket/a"],
    ["s3://bucket/a/", "s3://bucket/a/b.parquet"],
    ["s3://bucket", "S3://bucket/a/b"],
    ["s3://", "s3://bucket/a"],
    ["/", "/etc/passwd"],
    ["/data", "file:///data/x"],
    ["file:///data/", "/data/x"],
    ["reports", "reports/2026/a.csv"],
  ])("%s covers %s", (rule, value) => {
    expect(allows(rule, value)).toBe(true);
  });
  test.each([
    ["s3://bucket/a", "s3://bucket/ab"],
    ["s3://bucket/a", "s3://bucket/a/../b"],
    ["s3://bucket/a", "s3://bucket/a/%2e%2E/b"],
    ["s3://bucket/a", "s3://bucket/a/..%2fb"],
    ["s3://bucket/a", "s3://bucket/a/%252e%252e/b"],
    ["s3://bucket/a", "s3://bucket/a/．．/b"],
    ["s3://bucket/a", "s3://bucket/a\\..\\b"],
    ["s3://bucket/a", "s3://bucket/a//b"],
    ["s3://bucket/a", "s3://bucket/a/./b"],
    ["s3://bucket/a", "s3://bucket/a/b\u0000.txt"],
    ["s3://bucket/a", "s3://bucket/a/b\u202etxt.csv"],
    ["s3://bucket/a", "s3://bucket/a/b\u061c"],
    ["s3://bucket/a", "s3://bucket/a/b\u{e0041}"],
    ["s3://bucket", "s3://bucket/a?endpoint_override=evil"],
    ["s3://bucket", "s3://bucket-2/a"],
    ["s3://bucket", "s3://Bucket/a"],
    ["s3://", "gs://bucket/a"],
    ["s3://", "s3:///a"],
    ["/", "relative"],
    ["/data", "data/x"],
    ["/data", "file://host/data/x"],
    ["/data", "C:/data"],
    ["reports", ""],
    ["reports", "reports/"],
  ])("%s covers %s only where it is below", (rule, value) => {
    expect(allows(rule, value)).toBe(value === "reports/");
  });
});

test("storage.denies() is wide about case, compatibility forms and trailing dots", () => {
  for (const value of ["/data/SECRET/x", "/data/ｓecret", "/data/secret./x", "/data/secret /x"]) {
    expect(storage.denies("/data/secret", value)).toBe(true);
  }
  expect(storage.denies("/data/secret", "/data/secrets")).toBe(false);
});

test.each(["", "*", "s3://bucket/*", "a/../b", "a//b", "s3://b?x", "a\\b"])(
  "storage.parse() refuses %j",
  (text) => {
    expect(() => storage.parse(text)).toThrow();
  },
);

test("storage.intersect() is the longer prefix", () => {
  expect(storage.intersect("/a", "/a/b")).toBe("/a/b");
  expect(storage.intersect("/a/b", "/a")).toBe("/a/b");
  expect(storage.intersect("/a", "/ab")).toBe(null);
});

test("package names compare as Python and npm do", () => {
  expect(packageNames.parse("Scikit_Learn")).toBe("scikit-learn");
  expect(packageNames.canonical("npm:a_b")).toBe("npm:a_b");
  expect(packageNames.canonical("npm:@scope/a")).toBe("npm:@scope/a");
  for (const bad of ["", "*", "a b", "-a", "../a", "https://x", "npm:@a/b/c", "a==1"]) {
    expect(() => packageNames.parse(bad)).toThrow();
  }
});

test("UDF and secret names are exact, deny is not", () => {
  expect(udfNames.allows("a", "A")).toBe(false);
  expect(udfNames.denies("a", "A")).toBe(true);
  expect(udfNames.canonical("team/My UDF")).toBe("team/My UDF");
  expect(secretNames.canonical("API_KEY")).toBe("API_KEY");
  expect(secretNames.canonical("*")).toBe(null);
  expect(secretNames.canonical("a/b")).toBe(null);
});

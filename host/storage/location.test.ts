import { describe, expect, test } from "vitest";
import { storage } from "../permissions/storage.ts";
import { below, encodePath, locationUrl, parseLocation } from "./location.ts";

describe("parseLocation()", () => {
  test.each([
    ["fd://", "fd", "", "", true, "fd://"],
    ["fd://a/b.csv", "fd", "", "a/b.csv", false, "fd://a/b.csv"],
    ["FD://a/", "fd", "", "a", true, "fd://a"],
    ["s3://bucket", "s3", "bucket", "", true, "s3://bucket"],
    ["s3://bucket/", "s3", "bucket", "", true, "s3://bucket"],
    ["S3://my.bucket-1/a b/ü+%41*", "s3", "my.bucket-1", "a b/ü+%41*", false, "s3://my.bucket-1/a b/ü+%41*"],
    ["gs://my_bucket/a", "gs", "my_bucket", "a", false, "gs://my_bucket/a"],
    ["file:///data/x", "file", "", "data/x", false, "/data/x"],
    ["/data/x/", "file", "", "data/x", true, "/data/x"],
    ["file:///", "file", "", "", true, "/"],
    ["https://example.org/a/b", "https", "example.org", "a/b", false, "https://example.org/a/b"],
    ["HTTPS://EXAMPLE.org:443/%61%20b", "https", "example.org", "a b", false, "https://example.org/a b"],
    ["http://0x7f.1:8080/a", "http", "127.0.0.1:8080", "a", false, "http://127.0.0.1:8080/a"],
    [
      "https://bücher.example/ä",
      "https",
      "xn--bcher-kva.example",
      "ä",
      false,
      "https://xn--bcher-kva.example/ä",
    ],
  ])("%s", (text, scheme, authority, path, isFolder, value) => {
    expect(parseLocation(text)).toEqual({ scheme, authority, path, isFolder, value });
    expect(storage.canonical(value)).toBe(value);
    expect(parseLocation(locationUrl(parseLocation(text)))).toEqual(parseLocation(text));
  });

  test.each([
    ["nothing", ""],
    ["a relative path", "reports/a"],
    ["another scheme", "ftp://host/a"],
    ["data", "data:text/plain,a"],
    ["a drive", "C:/data"],
    ["a part ..", "s3://bucket/a/../b"],
    ["a part .. at the end", "s3://bucket/a/.."],
    ["a part .", "fd://a/./b"],
    ["encoded dots", "s3://bucket/a/%2e%2e/b"],
    ["encoded dots in capitals", "https://example.org/a/%2E%2E/b"],
    ["dots encoded twice", "https://example.org/a/%252e%252e/b"],
    ["one encoded dot", "https://example.org/a/.%2e/b"],
    ["an encoded slash", "s3://bucket/a%2fb"],
    ["an encoded backslash", "s3://bucket/a%5c..%5cb"],
    ["an encoded NUL", "https://example.org/a%00"],
    ["full-width dots", "fd://a/．．/b"],
    ["one dot leaders", "fd://a/\u2024\u2024/b"],
    ["a backslash", "fd://a\\..\\b"],
    ["an empty part", "s3://bucket/a//b"],
    ["an empty first part", "s3://bucket//a"],
    ["a part of spaces", "s3://bucket/a/ /b"],
    ["no bucket", "s3:///a"],
    ["nothing but a scheme", "s3://"],
    ["a NUL", "fd://a\u0000.txt"],
    ["a line feed", "fd://a\nb"],
    ["an encoded line feed", "https://example.org/a%0ab"],
    ["text turned around", "fd://a\u202egnp.exe"],
    ["an invisible character", "fd://a\u200bb"],
    ["half a character", "s3://bucket/\ud800"],
    ["a query", "s3://bucket/a?versionId=1"],
    ["an encoded query", "https://example.org/a%3Fb"],
    ["a fragment", "https://example.org/a#b"],
    ["a bucket in capitals", "s3://Bucket/a"],
    ["a bucket with a port", "s3://bucket:80/a"],
    ["a bucket with a user", "s3://user@bucket/a"],
    ["a bucket of two dots", "s3://a..b/c"],
    ["a bucket that is short", "s3://ab/c"],
    ["a user name", "https://user@example.org/a"],
    ["a password", "https://user:word@example.org/a"],
    ["a host behind another", "https://example.org\\@evil.example/a"],
    ["no host", "https:///a"],
    ["a port too high", "https://example.org:99999/a"],
    ["a broken escape", "https://example.org/a%zz"],
    ["bytes that are no text", "https://example.org/a%ff"],
    ["a file of another machine", "file://host/a"],
    ["a long key", `s3://bucket/${"ä".repeat(513)}`],
    ["a long path", `fd://${"a/".repeat(2100)}`],
  ])("refuses %s", (_what, text) => {
    expect(() => parseLocation(text)).toThrow(
      expect.objectContaining({ name: "StorageError", code: "request", exitCode: 1 }),
    );
  });

  test("says why, and shows no character that turns the message around", () => {
    expect(() => parseLocation("fd://a\u202eb")).toThrow(/"fd:\/\/a\\u202eb".*turns text around/);
    expect(() => parseLocation("fd://a/*/../b")).toThrow(/part \. or \.\./);
  });
});

test("below() gives what lies in a folder, and null for names that no place can have", () => {
  const folder = parseLocation("s3://bucket/a/");
  expect(below(folder, "b/c")).toEqual(parseLocation("s3://bucket/a/b/c"));
  expect(below(folder, "b/")).toEqual(parseLocation("s3://bucket/a/b/"));
  expect(below(parseLocation("fd://"), "b")).toEqual(parseLocation("fd://b"));
  expect(below(parseLocation("/"), "b")).toEqual(parseLocation("/b"));
  for (const name of ["../b", "..", "b//c", "", "/", "/b", "b\u0000", "b?c", "a/%2e%2e/b"])
    expect(below(folder, name)).toBe(null);
});

test("encodePath() leaves unreserved characters and slashes", () => {
  expect(encodePath("a/b-._~/ü !'()*+&=?%")).toBe("a/b-._~/%C3%BC%20%21%27%28%29%2A%2B%26%3D%3F%25");
});

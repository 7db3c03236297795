import { describe, expect, it } from "vitest";
import { readHtmlPage, readJsonPage } from "./python-index.ts";

const base = new URL("https://index.example/simple/a/");
const sha256 = "ab".repeat(32);

describe("readJsonPage()", () => {
  const read = (files: unknown, meta: unknown = { "api-version": "1.4" }) =>
    readJsonPage(JSON.stringify({ meta, name: "a", files }), base, "https://index.example/simple/a/");
  it("reads files", () => {
    const files = read([
      {
        filename: "a-1-py3-none-any.whl",
        url: "../../files/a.whl#egg",
        hashes: { sha256 },
        "requires-python": ">=3.9",
        yanked: "broken",
        "core-metadata": { sha256 },
      },
      {
        filename: "a-2-py3-none-any.whl",
        url: "https://files.example/b",
        hashes: {},
        "dist-info-metadata": true,
        yanked: false,
      },
    ]);
    expect(files).toEqual([
      {
        file: "a-1-py3-none-any.whl",
        url: "https://index.example/files/a.whl",
        sha256,
        requiresPython: ">=3.9",
        yanked: true,
        metadata: { sha256 },
      },
      {
        file: "a-2-py3-none-any.whl",
        url: "https://files.example/b",
        sha256: "",
        requiresPython: "",
        yanked: false,
        metadata: { sha256: "" },
      },
    ]);
  });
  it("leaves out what is no file", () => {
    expect(read([null, 1, {}, { filename: "a", url: "http://[" }, { filename: 1, url: "x" }])).toEqual([]);
  });
  it.each([
    ["no JSON", "<html>"],
    ["another API", JSON.stringify({ meta: { "api-version": "2.0" }, files: [] })],
    ["no files", JSON.stringify({ meta: { "api-version": "1.0" } })],
    ["null", "null"],
  ])("refuses %s", (_what, text) => {
    expect(() => readJsonPage(text, base, "it")).toThrow(
      /^The answer of it is no page of an index of packages: /,
    );
  });
});

describe("readHtmlPage()", () => {
  it("reads links", () => {
    const text = `<!DOCTYPE html><html><body>
      <a href="../../a.whl#sha256=${sha256}" data-requires-python="&gt;=3.8,&lt;4" data-core-metadata="sha256=${sha256}">a-1-py3-none-any.whl</a><br>
      <a data-yanked href='/b.whl'>a-2-py3-none-any.whl</a>
      <a name="top">no file</a></body></html>`;
    expect(readHtmlPage(text, base)).toEqual([
      {
        file: "a-1-py3-none-any.whl",
        url: "https://index.example/a.whl",
        sha256,
        requiresPython: ">=3.8,<4",
        yanked: false,
        metadata: { sha256 },
      },
      {
        file: "a-2-py3-none-any.whl",
        url: "https://index.example/b.whl",
        sha256: "",
        requiresPython: "",
        yanked: true,
        metadata: null,
      },
    ]);
  });
});

describe("readHtmlPage(), for a page that wants to keep it busy", () => {
  it.each(["<a ", "<a href='x'", "<a x>", `<a ${"href= ".repeat(600)}>x</a>`])("%s…", (part) => {
    const text = part.repeat(Math.ceil(4_000_000 / part.length));
    expect(readHtmlPage(text, base)).toEqual([]);
  });
});

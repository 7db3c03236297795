import { describe, expect, test } from "vitest";
import { type FormPart, readForm, textOf } from "./multipart.ts";

const TYPE = "multipart/form-data; boundary=XX";

/** A body in pieces of a size. */
async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(
  text: string,
  { type = TYPE, size = 7 } = {},
): Promise<(Omit<FormPart, "body"> & { text: string })[]> {
  const found = [];
  for await (const part of readForm(pieces(text, size), type))
    found.push({ name: part.name, fileName: part.fileName, text: await textOf(part) });
  return found;
}

const field = (name: string, text: string, more = "") =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${text}\r\n`;

describe("a form", () => {
  const content = "\r\n--X\r\n--XY\r\r\n--X\r\n\r\n";
  const form = `${field("dir", "/ä")}${field("file", content, '; filename="a %22b%22.txt"\r\nContent-Type: text/plain')}--XX--\r\n`;

  test.each([1, 2, 3, 5, 19, 1000])("is read in pieces of %d bytes", async (size) => {
    expect(await read(form, { size })).toEqual([
      { name: "dir", fileName: null, text: "/ä" },
      { name: "file", fileName: 'a "b".txt', text: content },
    ]);
  });

  test("may have a preamble, and empty fields, and its boundary in quotes", async () => {
    expect(
      await read(`preamble\r\n${field("a", "")}--XX--`, {
        type: 'multipart/form-data; charset=utf-8; boundary="XX"',
      }),
    ).toEqual([{ name: "a", fileName: null, text: "" }]);
  });

  test.each([
    ["name=file; filename=a.txt; filename*=utf-8''a.txt", "a.txt"],
    ['filename="a.txt"; Name="file"', "a.txt"],
    ['name="file"; x="; filename=b.txt"', null],
  ])("names its fields as %s", async (names, fileName) => {
    const text = `--XX\r\nContent-Disposition: form-data; ${names}\r\n\r\nx\r\n--XX--`;
    expect(await read(text)).toEqual([{ name: "file", fileName, text: "x" }]);
  });

  test("passes over what nobody reads", async () => {
    const names = [];
    for await (const { name } of readForm(pieces(form, 4), TYPE)) names.push(name);
    expect(names).toEqual(["dir", "file"]);
  });

  test.each([
    [415, form, "text/plain"],
    [415, form, "multipart/form-data"],
    [415, form, `multipart/form-data; boundary=${"x".repeat(71)}`],
    [400, "", TYPE],
    [400, "no boundary at all", TYPE],
    [400, field("a", "half").slice(0, -2), TYPE],
    [400, "--XX\r\nContent-Disposition: form-data; name", TYPE],
    [422, "--XXoops", TYPE],
    [422, "--XX\r\nContent-Type: text/plain\r\n\r\nx\r\n--XX--", TYPE],
    [422, `--XX\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, TYPE],
    [422, `${field("a", "x".repeat(70_000))}--XX--`, TYPE],
    [422, `${Array.from({ length: 101 }, () => field("a", "x")).join("")}--XX--`, TYPE],
  ])("is refused with %d where it is none", async (status, text, type) => {
    await expect(read(text, { type, size: 1000 })).rejects.toMatchObject({ status });
  });

  test("ends the body when its reader stops", async () => {
    let isEnded = false;
    async function* body() {
      try {
        for (;;) yield new TextEncoder().encode(field("a", "x"));
      } finally {
        isEnded = true;
      }
    }
    for await (const _ of readForm(body(), TYPE)) break;
    expect(isEnded).toBe(true);
  });
});

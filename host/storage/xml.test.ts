import { expect, test } from "vitest";
import { elements, escapeText, textOf } from "./xml.ts";

test("elements() and textOf() read what answers of S3 have", () => {
  const xml = `<?xml version="1.0"?>
    <R xmlns="http://s3"><Contents><Key>a&amp;b&#10;&#x1F600;&lt;</Key></Contents><Contents><Key></Key></Contents><KeyCount>2</KeyCount></R>`;
  expect(elements(xml, "Contents").map((item) => textOf(item, "Key"))).toEqual(["a&b\n\u{1f600}<", ""]);
  expect(textOf(xml, "KeyCount")).toBe("2");
  expect(textOf(xml, "Prefix")).toBe(null);
});

test("what is escaped once is unescaped once", () => {
  expect(textOf(`<K>${escapeText('&lt;"a" & <b>')}</K>`, "K")).toBe('&lt;"a" & <b>');
  expect(textOf("<K>&#x110000;&unknown;</K>", "K")).toBe("&#x110000;&unknown;");
});

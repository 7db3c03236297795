import { expect, test } from "vitest";
import { plainText, showText } from "./show.ts";

test.each([
  ["a b", '"a b"'],
  ['say "hi"\\', '"say \\"hi\\"\\\\"'],
  ["größe/データ", '"größe/データ"'],
  ["e\u0301", '"e\u0301"'],
  ["a\nb\tc\u001b[2J\u009b\u007f", '"a\\nb\\tc\\u001b[2J\\u009b\\u007f"'],
  ["a\u202eb\u2066c\u200e\u061c", '"a\\u202eb\\u2066c\\u200e\\u061c"'],
  ["a\u00a0b\u2003c\u3000d\u2028", '"a\\u00a0b\\u2003c\\u3000d\\u2028"'],
  ["a\u00adb\u200d\u3164\ufe0f\u{e0041}", '"a\\u00adb\\u200d\\u3164\\ufe0f\\udb40\\udc41"'],
  ["\ud800\ue000", '"\\ud800\\ue000"'],
  ["\u0338a", '"\\u0338a"'],
  ["a\u0301\u0301\u0301\u0301", '"a\u0301\u0301\u0301\\u0301"'],
])("showText(%j) is %s", (text, shown) => {
  expect(showText(text)).toBe(shown);
});

test("showText() cuts the middle out and says so outside of the quotation marks", () => {
  expect(showText("abcdefgh", 4)).toBe('"ab" … 4 more … "gh"');
  expect(showText("😀😀😀😀😀", 4)).toBe('"😀😀" … 2 more … "😀😀"');
  expect(showText(`${"a".repeat(1e6)}"`, 4)).toBe('"aa" … 999997 more … "a\\""');
  expect(showText("\u202e".repeat(500), 4)).toBe('"\\u202e\\u202e" … 496 more … "\\u202e\\u202e"');
});

test("plainText() is the same without quotation marks", () => {
  expect(plainText('a"\n\u202e', 10)).toBe('a"\\u000a\\u202e');
  expect(plainText("abcdefgh", 4)).toBe("ab … 4 more … gh");
});

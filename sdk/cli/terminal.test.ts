import { expect, test } from "vitest";
import { forTerminal, type Stream } from "./terminal.ts";

const terminal = { isTTY: true } as Stream;
const shown = (text: string) => forTerminal(text, terminal).replaceAll("\u001b", "^");

test.each(["0", "", "1;31", "01;34", "4", "9", "22;39", "90", "38;5;208", "38;2;1;2;3;1", "0;"])(
  "forTerminal() keeps the colour %j",
  (code) => {
    expect(shown(`\u001b[${code}mx`)).toBe(`^[${code}mx`);
  },
);

test.each(["7", "1;7", "41", "38;5;1;7", "48;5;1", "100", "8", "5", "38;7", "27;41", "38;5", "0;0;7"])(
  "forTerminal() drops what paints the ground or hides letters: %j",
  (code) => {
    expect(shown(`a\u001b[${code}mx`)).toBe("ax");
  },
);

test("forTerminal() drops what moves and steers, and keeps line breaks and tabs", () => {
  expect(shown("a\u001b[2J\u001b]0;t\u0007\u009b2J\b\u007f\tb\r\n")).toBe("a[2J]0;t2J\tb\r\n");
});

test("forTerminal() lets nothing look like the frame of a question", () => {
  expect(shown("┏━┓\n┃ x\n┗ Allow?")).toBe("┌━┓\n│ x\n└ Allow?");
  expect(forTerminal("┃\u001b[7m", {} as Stream)).toBe("┃\u001b[7m");
});

test("forTerminal() takes no long time over any text", () => {
  shown(`\u001b[${"0;".repeat(50_000)}5m`);
  shown(`\u001b[${"0".repeat(100_000)}x`);
  shown("\u001b[0;".repeat(50_000));
});

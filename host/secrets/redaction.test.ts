import { describe, expect, test } from "vitest";
import { RedactedOutput } from "../../runtime/redact.ts";
import { FEWEST_BYTES, Redaction } from "./redaction.ts";

const VALUE = "s3cret/Value+1?";
const SHOWN = "[secret A]";
const redaction = new Redaction([{ value: VALUE, shown: SHOWN }]);
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (parts: Uint8Array[]) => Buffer.concat(parts).toString();

/** Redacts a text that comes in parts of so many bytes. */
function stream(input: string, size: number, keepsLength = false, of = redaction): string {
  const redacting = of.stream({ keepsLength });
  const all = bytes(input);
  const out: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += size) out.push(redacting.push(all.slice(at, at + size)).slice());
  return text([...out, redacting.end()]);
}

const binary = (value: string) => Buffer.from(value);

describe("a value is found", () => {
  test.each<[string, string]>([
    ["as it is", VALUE],
    ["in lower case", VALUE.toLowerCase()],
    ["in a URL", encodeURIComponent(VALUE)],
    [
      "in a URL with lower case digits",
      encodeURIComponent(VALUE).replace(/%../g, (code) => code.toLowerCase()),
    ],
    ["in hexadecimal digits", binary(VALUE).toString("hex")],
    ["in upper case digits", binary(VALUE).toString("hex").toUpperCase()],
  ])("%s", (_, form) => {
    expect(redaction.text(`<${form}>${form}`)).toBe(`<${SHOWN}>${SHOWN}`);
    for (let size = 1; size < 40; size++) expect(stream(`<${form}>${form}`, size)).toBe(`<${SHOWN}>${SHOWN}`);
  });

  test.each(["", "u", "us", "use", "user:"])("in base64 behind %j", (before) => {
    for (const encoding of ["base64", "base64url"] as const) {
      for (const after of ["", "x", "xy", "xyz"]) {
        const encoded = binary(before + VALUE + after).toString(encoding);
        const shown = stream(`Basic ${encoded};`, 3);
        expect(shown).toContain(SHOWN);
        // All that is left of it is what a character at an edge has of it.
        const [left = "", right = ""] = shown.replace("Basic ", "").split(SHOWN);
        expect(encoded.startsWith(left)).toBe(true);
        expect(encoded.length - left.length - right.length + 1).toBeGreaterThanOrEqual(
          Math.floor((VALUE.length * 8 - 10) / 6),
        );
      }
    }
  });

  test("in JSON, where it is written in another way", () => {
    const odd = 'a"b\\c\nd☃';
    const of = new Redaction([{ value: odd, shown: SHOWN }]);
    expect(of.text(JSON.stringify({ odd }))).toBe(JSON.stringify({ odd: SHOWN }));
    expect(stream(JSON.stringify({ odd }), 2, false, of)).toBe(JSON.stringify({ odd: SHOWN }));
    expect(of.value({ [odd]: [odd, 1, null, { a: `x${odd}` }] })).toEqual({
      [SHOWN]: [SHOWN, 1, null, { a: `x${SHOWN}` }],
    });
  });
});

test("nothing else is changed", () => {
  const plain = "s3cret/Valu s3cret/Value+1 value+1? 😀".repeat(50);
  for (const size of [1, 7, 64, 5000]) expect(stream(plain, size)).toBe(plain);
  expect(redaction.text(plain)).toBe(plain);
  expect(redaction.bytes(bytes(plain))).toEqual(bytes(plain));
});

test("only what may be its beginning is held back", () => {
  const redacting = redaction.stream({ keepsLength: false });
  expect(text([redacting.push(bytes("data: hello\n\n"))])).toBe("data: hello\n\n");
  expect(text([redacting.push(bytes("data: s3cret"))])).toBe("data: ");
  expect(text([redacting.push(bytes("s"))])).toBe("s3cret");
  expect(text([redacting.push(bytes("!"))])).toBe("s!");
  expect(text([redacting.push(bytes(`${VALUE}s3c`))])).toBe(SHOWN);
  expect(text([redacting.end()])).toBe("s3c");
});

test("what may still become one value is held back when another one is added", () => {
  const first = { value: VALUE, shown: SHOWN };
  let current = new Redaction([first]);
  const output = new RedactedOutput(() => current);
  const [begin, end] = [VALUE.slice(0, 9), VALUE.slice(9)];
  expect(text(output.push(bytes(`a ${begin}`)))).toBe("a ");
  current = new Redaction([first, { value: "another-value", shown: "[another]" }]);
  expect(text(output.push(bytes(`${end} another-`)))).toBe(`${SHOWN} `);
  expect(text(output.push(bytes("value.")))).toBe("[another].");
  expect(text(output.end())).toBe("");
});

test("asterisks have the length of what they stand for", () => {
  const all = `<${VALUE}>${binary(VALUE).toString("hex")}`;
  for (const size of [1, 5, 100]) expect(stream(all, size, true)).toBe(all.replace(/[^<>]/g, "*"));
  expect(text([redaction.bytes(bytes(all))])).toBe(all.replace(/[^<>]/g, "*"));
});

test("of values that begin alike the longest counts, also where the shorter one ends the text", () => {
  const of = new Redaction([
    { value: "abcdefgh", shown: "[8]" },
    { value: "abcdefghijkl", shown: "[12]" },
  ]);
  for (let size = 1; size < 30; size++) {
    expect(stream("abcdefghijkl abcdefghij abcdefgh", size, false, of)).toBe("[12] [8]ij [8]");
    expect(stream("abcdefghabcdefghijk", size, false, of)).toBe("[8][8]ijk");
  }
});

test("a short value is left as it is", () => {
  const short = "x".repeat(FEWEST_BYTES - 1);
  const of = new Redaction([{ value: short, shown: SHOWN }]);
  expect(of.text(short)).toBe(short);
  expect(stream(`${short} ${binary(short).toString("hex")}`, 3, false, of)).toContain(short);
});

test("what a replacement pattern would mean is not meant", () => {
  expect(new Redaction([{ value: "abcdef", shown: "$&$1" }]).text("abcdef")).toBe("$&$1");
});

test("random values in random bytes are all found, and nothing else", () => {
  for (let round = 0; round < 200; round++) {
    const value = Buffer.from(crypto.getRandomValues(new Uint8Array(6 + (round % 30)))).toString("base64");
    const of = new Redaction([{ value, shown: "_" }]);
    const noise = () =>
      String.fromCharCode(...crypto.getRandomValues(new Uint8Array(round % 50)).map((byte) => byte & 127));
    const [a, b, c] = [noise(), noise(), noise()];
    expect(stream(a + value + b + value + c, 1 + (round % 17), false, of)).toBe(`${a}_${b}_${c}`);
  }
});

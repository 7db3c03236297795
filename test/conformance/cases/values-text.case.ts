/** Texts in every script, at every edge of Unicode. */
import { type Case, defineCase, python, pythonWith, typescript, typescriptWith } from "../case.ts";

const texts = [
  "Grüße, Kraków, Αθήνα, Москва, القاهرة, 東京, ขอนแก่น",
  "🌍🧑‍🚀🏳️‍🌈𝔘𠜎",
  "e\u0301 \u00e9 \u1100\u1161",
  "\u0000\u0001\u001f\u007f\u0080\u009f",
  "\u2028\u2029\ufeff\ufffe\uffff",
  "quotes \" ' ` and \\ back \\\\ slashes / and </script>",
  "\r\n\t tabs and ends \n",
  "",
];
const literal = JSON.stringify(texts);

export default [
  defineCase("texts of every script come back", {
    python: python(literal.replaceAll("\u007f", "\\u007f")),
    typescript: typescript(literal),
    value: texts,
  }),
  defineCase("texts of every script go in and come back", {
    python: pythonWith("texts: list", "texts"),
    typescript: typescriptWith("{ texts: string[] }", "given.texts"),
    parameters: { texts },
    value: texts,
  }),
  defineCase("a text's length is counted as its language counts", {
    python: pythonWith("text: str", "[len(text), text[::-1]]"),
    typescript: typescriptWith(
      "{ text: string }",
      "[[...given.text].length, [...given.text].reverse().join('')]",
    ),
    parameters: { text: "a𝔘b🌍" },
    value: [4, "🌍b𝔘a"],
  }),
  // A JavaScript text is a sequence of code units; a Python text with half a pair can be written in no encoding.
  defineCase("half a surrogate pair comes back from JavaScript, and is refused from Python", {
    python: python('["x", "a\\udc00b"]'),
    typescript: typescript('["\\ud83d", "a\\udc00b"]'),
    inPython: { error: { name: "ResultError", path: "result[1]", message: /half a surrogate pair/ } },
    value: ["\ud83d", "a\udc00b"],
  }),
  defineCase("half a surrogate pair goes in", {
    python: pythonWith("text: str", "[len(text), hex(ord(text[1]))]"),
    typescript: typescriptWith(
      "{ text: string }",
      '[given.text.length, "0x" + given.text.charCodeAt(1).toString(16)]',
    ),
    parameters: { text: "a\ud83d" },
    value: [2, "0xd83d"],
  }),
  defineCase("two halves of a pair, put together, are one character", {
    python: python('b"\\x3c\\xd8\\x0d\\xdf".decode("utf-16-le")'),
    typescript: typescript('"\\ud83c" + "\\udf0d"'),
    value: "🌍",
  }),
  defineCase("keys of every script come back", {
    python: python('{"é": 1, "e\\u0301": 2, "🌍": 3, "\\u0000": 4}'),
    typescript: typescript('({ "é": 1, "e\\u0301": 2, "🌍": 3, "\\u0000": 4 })'),
    value: { é: 1, "e\u0301": 2, "🌍": 3, "\u0000": 4 },
  }),
  defineCase("identifiers and source texts may be of any script", {
    python: python("größe", "größe = 'Maß 🌍'  # 注釈"),
    typescript: typescript("größe", "const größe = 'Maß 🌍'; // 注釈"),
    value: "Maß 🌍",
  }),
  defineCase("a text of a subclass is a text", {
    python: python(
      '[Name("x"), Kind.A]',
      "import enum\nclass Name(str):\n    def __str__(self):\n        return 'other'\nclass Kind(enum.StrEnum):\n    A = 'a'",
    ),
    value: ["x", "a"],
  }),
] satisfies Case[];

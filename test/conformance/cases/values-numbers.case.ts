/** Numbers: all that a double holds, and integers of any size. */
import { type Case, defineCase, python, pythonWith, typescript, typescriptWith } from "../case.ts";

export default [
  defineCase("numbers at the edges of a double stay exact", {
    python: python("[0.1 + 0.2, 1.7976931348623157e308, 5e-324, 2.0 ** 53, 1e21, 1e-7, 123456789.125]"),
    typescript: typescript("[0.1 + 0.2, 1.7976931348623157e308, 5e-324, 2 ** 53, 1e21, 1e-7, 123456789.125]"),
    value: [0.1 + 0.2, 1.7976931348623157e308, 5e-324, 2 ** 53, 1e21, 1e-7, 123456789.125],
  }),
  defineCase("NaN, the infinities and minus zero come back", {
    python: python('[float("nan"), float("inf"), float("-inf"), -0.0, {"x": float("nan")}]'),
    typescript: typescript("[NaN, Infinity, -Infinity, -0, { x: NaN }]"),
    value: [Number.NaN, Infinity, -Infinity, -0, { x: Number.NaN }],
  }),
  defineCase("NaN, the infinities and minus zero go in", {
    python: pythonWith(
      "a: float, b: float, c: float, d: float",
      "[math.isnan(a), b, c, math.copysign(1, d)]",
      "import math",
    ),
    typescript: typescriptWith(
      "{ a: number; b: number; c: number; d: number }",
      "[Number.isNaN(given.a), given.b, given.c, 1 / given.d < 0 ? -1 : 1]",
    ),
    parameters: { a: Number.NaN, b: Infinity, c: -Infinity, d: -0 },
    value: [true, Infinity, -Infinity, -1],
  }),
  defineCase("integers up to 2^53 - 1 are numbers, those beyond are bigints", {
    python: python("[2**53 - 1, -(2**53 - 1), 2**53, -(2**53), 2**53 + 1, 2**63 - 1, -(2**63), 2**64]"),
    typescript: typescript(
      "[2n**53n - 1n, -(2n**53n - 1n), 2n**53n, -(2n**53n), 2n**53n + 1n, 2n**63n - 1n, -(2n**63n), 2n**64n]",
    ),
    value: [
      2 ** 53 - 1,
      -(2 ** 53 - 1),
      2n ** 53n,
      -(2n ** 53n),
      2n ** 53n + 1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 64n,
    ],
  }),
  defineCase("an integer of 300 digits comes back", {
    python: python("7 * 10**299 + 3"),
    typescript: typescript("7n * 10n**299n + 3n"),
    value: 7n * 10n ** 299n + 3n,
  }),
  defineCase("big integers go in and come back", {
    python: pythonWith("a: int, b: int", "[a + 1, b - 1]"),
    typescript: typescriptWith("{ a: bigint; b: bigint }", "[given.a + 1n, given.b - 1n]"),
    parameters: { a: 2n ** 100n, b: -(2n ** 63n) },
    value: [2n ** 100n + 1n, -(2n ** 63n) - 1n],
  }),
  defineCase("a small bigint is a number on the other side", {
    typescript: typescript("[1n, -5n, 0n]"),
    value: [1, -5, 0],
  }),
  defineCase("an integral float is the same number as an int", {
    python: python("[1.0, 1, True + 0, 1e15]"),
    typescript: typescript("[1.0, 1, Number(true), 1e15]"),
    value: [1, 1, 1, 1e15],
  }),
  defineCase("numbers of subclasses count as what they are", {
    python: python(
      "[Colour.RED, Size(7), Ratio(0.5)]",
      "import enum\nclass Colour(enum.IntEnum):\n    RED = 3\nclass Size(int):\n    pass\nclass Ratio(float):\n    pass",
    ),
    value: [3, 7, 0.5],
  }),
  defineCase("complex numbers come as their two parts", {
    python: python("[1 + 2j, complex(0, float('inf'))]"),
    value: [
      [1, 2],
      [0, Infinity],
    ],
  }),
  defineCase("decimals and fractions come as text without loss", {
    python: python(
      '[Decimal("1.10"), Decimal("-0.0000000000000000001"), Decimal("123456789012345678901234567890.5"), Decimal("NaN")]',
      "from decimal import Decimal",
    ),
    value: ["1.10", "-1E-19", "123456789012345678901234567890.5", "NaN"],
  }),
] satisfies Case[];

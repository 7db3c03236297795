import { expect, test } from "vitest";
import { UdfRuntimeError } from "./errors.ts";
import { RedactedOutput, type Redaction, redactAnswer, redactError } from "./redact.ts";

/** Takes out letters; in a stream it holds back each part until the next. */
const without = (letters: string): Redaction => {
  const text = (given: string) => given.replace(new RegExp(`[${letters}]`, "g"), "_");
  const bytes = (given: Uint8Array) => new TextEncoder().encode(text(new TextDecoder().decode(given)));
  let held: Uint8Array = new Uint8Array(0);
  return {
    text,
    bytes,
    value: (value) => (typeof value === "string" ? text(value) : value),
    stream: () => ({
      push(part) {
        const out = bytes(held);
        held = part;
        return out;
      },
      take() {
        const out = held;
        held = new Uint8Array(0);
        return out;
      },
      end() {
        return bytes(this.take());
      },
    }),
  };
};
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (parts: Uint8Array[]) => parts.map((part) => new TextDecoder().decode(part)).join("");

test("errors have it in none of their texts", () => {
  const error = redactError(
    new UdfRuntimeError("ax", { type: "X", traceback: "bx", location: { file: "x", line: 1 }, hint: "cx" }),
    without("x"),
  ) as UdfRuntimeError;
  expect(error).toMatchObject({ name: "UdfRuntimeError", message: "a_", traceback: "b_", hint: "c_" });
  expect(error.stack).not.toContain("ax");
});

test("an answer has it neither in its value nor in its buffers; without one to take out it is as it was", () => {
  const buffers = [bytes("bx")];
  const answer = { value: "ax", valueText: '"ax"' };
  expect(redactAnswer(answer, buffers, without("x"))).toEqual([
    "a_",
    { text: '"a_"', buffers: [bytes("b_")] },
  ]);
  expect(redactAnswer(answer, buffers, undefined)[1]).toEqual({ text: '"ax"', buffers });
  const float = { value: 6, valueText: "6.0" };
  expect(redactAnswer(float, [], without("x"))).toEqual([6, { text: "6.0", buffers: [] }]);
});

test("output has it from when it is known, and more as more is known; nothing is lost", () => {
  let redaction: Redaction | undefined;
  const output = new RedactedOutput(() => redaction);
  expect(text(output.push(bytes("x1 ")))).toBe("x1 ");
  redaction = without("x");
  expect(text(output.push(bytes("x2 ")))).toBe("");
  expect(text(output.push(bytes("x3 ")))).toBe("_2 ");
  redaction = without("xy3");
  expect(text(output.push(bytes("y4 ")))).toBe("__ ");
  expect(text(output.end())).toBe("_4 ");
  expect(text(output.end())).toBe("");
});

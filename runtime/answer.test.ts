import { expect, test } from "vitest";
import { readReply } from "./answer.ts";
import { LimitExceededError } from "./errors.ts";

test("a text that JSON.stringify would end the process with is no answer", () => {
  const text = `{"ok":true,"value":"${"x".repeat(2 ** 28)}"}`;
  expect(() => readReply({ text, buffers: [] }, 2 ** 29)).toThrow(LimitExceededError);
});

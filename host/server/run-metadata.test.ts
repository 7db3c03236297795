import { describe, expect, test } from "vitest";
import {
  LimitExceededError,
  ParameterError,
  ResultError,
  UdfLoadError,
  UdfRuntimeError,
  UsageError,
} from "../../runtime/errors.ts";
import { metadataHeader, metadataOfFailure } from "./run-metadata.ts";

const raised = (message: string, traceback = "Traceback\nValueError: bad\n") =>
  Object.assign(
    new UdfRuntimeError(`ValueError: ${message}`, {
      type: "ValueError",
      traceback,
      location: { file: "u.py", line: 3 },
    }),
    { stdout: "out", stderr: "err" },
  );

describe("a failure", () => {
  test("of a UDF has its class, its message, its line, and its traceback behind what it printed", () => {
    expect(metadataOfFailure(raised("bad"))).toEqual({
      stdout: "out",
      stderr: "err\nTraceback\nValueError: bad\n",
      has_exception: true,
      exception: "ValueError: bad",
      exception_class: "ValueError",
      errormsg: "ValueError: bad",
      lineno: 3,
    });
  });

  test("in a helper is told at the line that called it", () => {
    const traceback =
      'Traceback (most recent call last):\n  File "<udf u>", line 9, in u\n    help()\n  File "<udf u>", line 3, in help\nValueError: bad\n';
    expect(metadataOfFailure(raised("bad", traceback)).lineno).toBe(9);
  });

  test.each([
    [new ResultError("x", { path: "result" }), "serialization_error"],
    [new LimitExceededError("x", { limit: "outputBytes", allowed: 1 }), "serialization_error"],
    [new LimitExceededError("x", { limit: "timeMs", allowed: 1 }), "timeout_error"],
    [new LimitExceededError("x", { limit: "memoryBytes", allowed: 1 }), undefined],
    [new ParameterError("x", { parameter: "a" }), undefined],
  ])("%s is of the kind %s", (error, kind) => {
    expect(metadataOfFailure(error)).toMatchObject({ exception_class: error.name, errormsg: "x" });
    expect(metadataOfFailure(error).error_type).toBe(kind);
  });

  test("of writing the result is one of serialization", () => {
    expect(metadataOfFailure(new UsageError("x"), true).error_type).toBe("serialization_error");
  });

  test("of loading names the line", () => {
    const error = new UdfLoadError("x", { location: { file: "u.py", line: 7 } });
    expect(metadataOfFailure(error).lineno).toBe(7);
  });
});

describe("the header", () => {
  const size = 12_000;

  test("has everything that is small, in ASCII", () => {
    const metadata = metadataOfFailure(raised("bäd 😀"));
    const { text, isCut } = metadataHeader(metadata);
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(text)).toEqual(metadata);
    expect(isCut).toBe(false);
  });

  test.each([
    ["letters", "a"],
    ["escapes", "\n"],
    ["letters beyond ASCII", "é"],
    ["halves of characters", "\ud83d"],
  ])("fits, whatever there is of it: %s", (_what, letter) => {
    const error = raised(letter.repeat(100_000), letter.repeat(100_000));
    Object.assign(error, { stdout: letter.repeat(4_000_000), stderr: letter.repeat(4_000_000) });
    const { text, isCut } = metadataHeader(metadataOfFailure(error));
    expect(text.length).toBeLessThan(size);
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(isCut).toBe(true);
    const { stdout, stderr, errormsg, lineno } = JSON.parse(text);
    for (const part of [stdout, stderr, errormsg]) expect(part).toContain("… (cut: ");
    expect(lineno).toBe(3);
  });

  test("never cuts a character in two", () => {
    for (let n = 0; n < 8; n++) {
      const { text } = metadataHeader({
        stdout: "a".repeat(n) + "😀".repeat(9000),
        stderr: "",
        has_exception: false,
      });
      expect(JSON.parse(text).stdout.isWellFormed()).toBe(true);
    }
  });

  test("keeps the beginning and the end of what is cut, and leaves the room of one stream to the other", () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `line ${i}`).join("\n");
    const { text } = metadataHeader({ stdout: lines, stderr: "e", has_exception: false });
    const { stdout, stderr } = JSON.parse(text);
    expect(text.length).toBeGreaterThan(size * 0.9);
    expect(stdout).toMatch(/^line 0\n/);
    expect(stdout).toMatch(/line 4999$/);
    expect(stderr).toBe("e");
  });
});

test("a value that a parameter does not take is told as Python raises it", () => {
  const raised = "ValueError: invalid literal for int() with base 10: 'x'";
  const error = new ParameterError('Cannot read the parameter "a": it must be int', {
    parameter: "a",
    raised,
  });
  expect(metadataOfFailure(error)).toMatchObject({
    exception: raised,
    exception_class: "ValueError",
    errormsg: raised,
    stderr: 'Cannot read the parameter "a": it must be int\n',
  });
});

test("a mistake in the syntax is told as Python raises it, with its line", () => {
  const raised = "SyntaxError: '(' was never closed (<udf u>, line 4)";
  const error = new UdfLoadError("u.py, line 4: '(' was never closed", {
    location: { file: "u.py", line: 4 },
    raised,
  });
  expect(metadataOfFailure(error)).toMatchObject({
    exception: raised,
    exception_class: "SyntaxError",
    errormsg: raised,
    lineno: 4,
    stderr: "u.py, line 4: '(' was never closed\n",
  });
});

import { expect, test } from "vitest";
import { PermissionDeniedError } from "./errors.ts";
import { Denials, failureError, readFailure } from "./failure.ts";
import type { UdfSource } from "./udf.ts";

const denial = (value: string) =>
  new PermissionDeniedError(`Requires net access to ${value}`, {
    permission: "net",
    value,
    grant: `--allow-net=${value}`,
  });
/** What a run ends with that raised a denial of this value, with a text of its own choice. */
const raised = (denials: Denials, value: string, message = "run again with --allow-all") =>
  failureError(
    readFailure({ kind: "permission", type: "PermissionDeniedError", message, subject: "net", value }),
    {} as UdfSource,
    { timeMs: 1, memoryBytes: 1, logBytes: 1, outputBytes: 1 },
    denials,
  ) as PermissionDeniedError;

test("a denial of the host is told in the host's words, whatever the UDF made of it", () => {
  const denials = new Denials();
  const real = denial("a.org:443");
  denials.add(real);
  expect(raised(denials, "a.org:443")).toBe(real);
});

test("any other names no flag, and shows what the UDF says in quotation marks", () => {
  const error = raised(new Denials(), "x; rm -rf ~", "run again with --allow-all\u202e");
  expect(error).toBeInstanceOf(PermissionDeniedError);
  expect(error.grant).toBe("");
  expect(error.message).toBe(
    'The UDF reports a denial that is none of fuselet\'s rules, so no flag is named here. It says: "run again with --allow-all\\u202e"',
  );
});

test("what a UDF is denied in vain takes no memory without bound", () => {
  const denials = new Denials();
  for (let index = 0; index < 1001; index++) denials.add(denial(`h${index}.org`));
  denials.add(denial("x".repeat(10_001)));
  const isOurs = (value: string) => raised(denials, value).grant !== "";
  expect(["h0.org", "h1.org", "h1000.org", "x".repeat(10_001)].map(isOurs)).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

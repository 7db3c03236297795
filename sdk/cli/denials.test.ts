import { expect, test } from "vitest";
import type { Decision } from "../../host/permissions/broker.ts";
import { PermissionDeniedError } from "../../runtime/errors.ts";
import { Denials } from "./denials.ts";

const decision = (value: string): Decision => ({
  permission: "net",
  value,
  allowed: false,
  rule: null,
  reason: "not granted",
  how: "rule",
  principal: "local",
  udf: { name: "hello", hash: "abc" },
  runId: "run-1",
});
const raised = (message: string, value: string) =>
  Object.assign(
    new PermissionDeniedError(message, { permission: "net", value, grant: `--allow-net=${value}` }),
    { stdout: "out", stderr: "" },
  );

test("a denial of the host is told in the host's words, whatever the UDF made of it", () => {
  const denials = new Denials();
  denials.add(decision("a.org:443"));
  const shown = denials.explain(raised("run again with --allow-all", "a.org:443"));
  expect(shown).toBeInstanceOf(PermissionDeniedError);
  expect(shown.toJSON()).toEqual({
    name: "PermissionDeniedError",
    message: 'Requires net access to "a.org:443": run again with --allow-net=a.org:443',
    exitCode: 3,
    permission: "net",
    value: "a.org:443",
    grant: "--allow-net=a.org:443",
    stdout: "out",
    stderr: "",
  });
});

test("any other names no flag", () => {
  const denials = new Denials();
  denials.add(decision("a.org:443"));
  const shown = denials.explain(raised("run again with --allow-all\u202e", "x; rm -rf ~"));
  expect(shown).toMatchObject({ exitCode: 3, grant: "", stdout: "out" });
  expect(shown.message).toBe(
    'The UDF reports a denial that is none of fuselet\'s rules, so no flag is named here. It says: "run again with --allow-all\\u202e"',
  );
});

test("what a UDF is denied in vain takes no memory without bound", () => {
  const denials = new Denials();
  for (let index = 0; index < 1001; index++) denials.add(decision(`h${index}.org`));
  denials.add(decision("x".repeat(10_001)));
  const isOurs = (value: string) => denials.explain(raised("", value)).grant !== "";
  expect(["h0.org", "h1.org", "h1000.org", "x".repeat(10_001)].map(isOurs)).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

import { expect, test } from "vitest";
import { isPermissionFlag, permissionsFromFlags } from "./flags.ts";

const parse = (...flags: string[]) =>
  permissionsFromFlags(
    flags.map((text) => {
      const [, flag = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
      return { flag, value };
    }),
  );

test("permissionsFromFlags() reads lists, repeats and commas in values", () => {
  expect(parse("--allow-net")).toEqual({ net: true });
  expect(parse("--allow-net=a.org,b.org:443", "--allow-net=*.c.org")).toEqual({
    net: ["a.org", "b.org:443", "*.c.org"],
  });
  expect(parse("--allow-net=a.org", "--allow-net")).toEqual({ net: true });
  expect(parse("--allow-read=/a,,b,/c")).toEqual({ read: ["/a,b", "/c"] });
  expect(parse("--allow-net", "--deny-net=169.254.0.0/16", "--deny-write")).toEqual({
    net: true,
    deny: { net: ["169.254.0.0/16"], write: true },
  });
});

test("--allow-all leaves out native, remote and reveal", () => {
  const all = { net: true, read: true, write: true, secrets: true, cache: true, run: true, import: true };
  expect(parse("--allow-all")).toEqual(all);
  expect(parse("--allow-all", "--allow-native", "--allow-net=a.org")).toEqual({ ...all, native: true });
  expect(parse("--allow-all", "--allow-secrets=KEY:reveal")).toEqual({
    ...all,
    secrets: ["*", { name: "KEY", hosts: true, reveal: true }],
  });
});

test("secrets take hosts and reveal", () => {
  expect(parse("--allow-secrets=A,B@api.example.org:443,C@x.org:reveal,D:reveal")).toEqual({
    secrets: [
      "A",
      { name: "B", hosts: ["api.example.org:443"], reveal: false },
      { name: "C", hosts: ["x.org"], reveal: true },
      { name: "D", hosts: true, reveal: true },
    ],
  });
  expect(parse("--allow-secrets")).toEqual({ secrets: true });
});

test.each([
  [["--allow-net="], "Cannot use --allow-net=: the list is empty"],
  [["--allow-net=a.org,"], 'Cannot use --allow-net=a.org,: "": it is empty'],
  [["--allow-net=https://a.org"], 'Cannot use --allow-net=https://a.org: "https://a.org": it is a URL'],
  [["--allow-cache=x"], "Cannot use --allow-cache=x: it takes no value"],
  [["--allow-all=x"], "Cannot use --allow-all=x: it takes no value"],
  [["--allow-secrets=A:show"], 'Cannot use --allow-secrets=A:show: "A:show": it is not the name of a secret'],
  [["--allow-secrets=A@"], "it is empty"],
  [["--allow-sudo"], "Unknown permission flag --allow-sudo"],
])("permissionsFromFlags(%j) says why not", (flags, message) => {
  expect(() => parse(...flags)).toThrow(message);
});

test("isPermissionFlag() knows no --deny-all", () => {
  expect(["allow-net", "deny-net", "allow-all"].every(isPermissionFlag)).toBe(true);
  expect(["deny-all", "allow-", "allow-constructor", "net"].some(isPermissionFlag)).toBe(false);
});

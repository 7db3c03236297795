import { describe, expect, test } from "vitest";
import { FORMATS as FORMAT_TABLE } from "../../host/formats/formats.ts";
import { PERMISSION_FLAGS } from "../../host/permissions/flags.ts";
import { UsageError } from "../../runtime/errors.ts";
import { parseArguments } from "./arguments.ts";
import { helpText } from "./help.ts";
import { parseSize, parseTile, parseTime } from "./quantities.ts";
import { FORMATS, LATER_VERBS, VERBS } from "./verbs.ts";

describe("parseArguments()", () => {
  test("reads options anywhere, parameters and what follows --", () => {
    const command = parseArguments([
      "run",
      "--format=csv",
      "a.py",
      "n=1",
      "-o",
      "x.csv",
      "--allow-net",
      "--allow-net=b",
      "--",
      "t=--x",
    ]);
    expect(command).toMatchObject({ kind: "run", udf: "a.py" });
    if (command.kind !== "run") throw new Error("unreachable");
    expect({ ...command.parameters }).toEqual({ n: "1", t: "--x" });
    expect(command.options.get("output")).toBe("x.csv");
    expect(
      command.options.given.filter(({ name }) => name === "allow-net").map(({ value }) => value),
    ).toEqual([undefined, "b"]);
  });
  test("takes - as standard input, empty values and names of any script", () => {
    const command = parseArguments(["run", "-", "a=", "größe=1=2", "__proto__=x"]);
    expect(command.kind === "run" && Object.entries(command.parameters)).toEqual([
      ["a", ""],
      ["größe", "1=2"],
      ["__proto__", "x"],
    ]);
  });
  test("reads sets of permissions, with and without a name", () => {
    const command = parseArguments(["run", "a.py", "-P", "-P=x", "--permission-set=y", "--config", "f.json"]);
    const given = command.kind === "run" ? command.options.given : [];
    expect(given.map(({ name, value }) => [name, value])).toEqual([
      ["permission-set", undefined],
      ["permission-set", "x"],
      ["permission-set", "y"],
      ["config", "f.json"],
    ]);
  });
  test("reads what to do with the cache", () => {
    const all = ["results", "downloads", "snapshots", "packages"];
    expect(parseArguments(["cache"])).toMatchObject({ kind: "cache", action: "list", kinds: all });
    expect(parseArguments(["cache", "clear"])).toMatchObject({ action: "clear", kinds: all });
    expect(parseArguments(["cache", "list", "packages", "results", "packages", "--json"])).toMatchObject({
      action: "list",
      kinds: ["packages", "results"],
    });
  });

  test("reads what to do with saved permissions", () => {
    expect(parseArguments(["permissions"])).toMatchObject({ action: "list", ids: [] });
    expect(parseArguments(["permissions", "remove", "a", "b"])).toMatchObject({
      action: "remove",
      ids: ["a", "b"],
    });
    expect(parseArguments(["permissions", "remove", "--all"])).toMatchObject({ action: "remove", ids: [] });
    expect(parseArguments(["permissions", "schema"])).toMatchObject({ action: "schema" });
  });
  test("reads what to do with secrets", () => {
    expect(parseArguments(["secrets", "--json"])).toMatchObject({ action: "list", name: "" });
    expect(parseArguments(["secrets", "set", "A"])).toMatchObject({ action: "set", name: "A" });
    expect(parseArguments(["secrets", "delete", "A"])).toMatchObject({ action: "delete", name: "A" });
  });
  test("knows version and help", () => {
    expect(parseArguments(["--version"]).kind).toBe("version");
    for (const argv of [
      ["--help"],
      ["-h"],
      ["help"],
      ["run", "--help"],
      ["help", "run"],
      ["run", "x.py", "-h"],
    ]) {
      expect(parseArguments(argv).kind).toBe("help");
    }
  });
  test.each([
    [[], "Name a verb"],
    [["run"], "Name a UDF: fuselet run"],
    [["rn", "x"], 'Unknown verb "rn": did you mean run?'],
    [["hello.py"], 'Unknown verb "hello.py": to run a UDF, write: fuselet run hello.py'],
    [["--format", "csv"], "Name a verb before the options"],
    [["run", "a", "--fromat", "csv"], "Unknown option --fromat: did you mean --format?"],
    [["run", "a", "--allow-nte=x"], "Unknown option --allow-nte: did you mean --allow-net?"],
    [["run", "a", "--zzzzzzz"], "Unknown option --zzzzzzz: fuselet run --help lists all"],
    [["run", "a", "-x"], "Unknown option -x"],
    [["run", "a", "--format"], "--format needs a value"],
    [["run", "a", "--format", "cvs"], 'Cannot use --format "cvs": did you mean csv?'],
    [["run", "a", "--format", "constructor"], "it is one of json, csv"],
    [["run", "a", "--verbose=1"], "--verbose takes no value"],
    [["run", "a", "-o", "x", "-o", "y"], "--output is given twice"],
    [["serve", "--host", ""], "--host needs a value: --host ADDRESS"],
    [["serve", "--data="], "--data needs a value: --data DIR"],
    [["run", "a", "b"], 'Unexpected argument "b": parameters are written name=value'],
    [["run", "a", "1x=2"], "parameters are written name=value"],
    [["run", "a", "n=1", "n=2"], "The parameter n is given twice"],
    [["run", "a", "--engine", "remot"], 'Cannot use --engine "remot": did you mean remote?'],
    [["job", "lst"], 'Unexpected argument "lst": did you mean list?'],
    [["job", "list", "x"], 'Unexpected argument "x"'],
    [["job", "run"], "Name a UDF"],
    [["job", "status"], "Name a job"],
    [["job", "status", "1", "2"], 'Unexpected argument "2"'],
    [["job", "status", "1", "--wait"], "Cannot use --wait with status"],
    [["user", "lst"], 'Unexpected argument "lst": did you mean list?'],
    [["user", "list", "x"], 'Unexpected argument "x"'],
    [["user", "add"], "Name the email of the user"],
    [["user", "disable"], "Name a user"],
    [["user", "disable", "ada", "bob"], 'Unexpected argument "bob"'],
    [["user", "disable", "ada", "--admin"], "Cannot use --admin with disable"],
    [["user", "token", "ada", "--allow-net=x"], "Cannot use --allow-net with token"],
    [["user", "set", "ada", "--handle", "x"], "Cannot use --handle with set"],
    [["user", "add", "a@b", "--no-bounds"], "Cannot use --no-bounds with add"],
    [["login", "x"], 'Unexpected argument "x"'],
    [["login", "--token", "abc"], 'Cannot use --token "abc": it is one of -'],
    [["inspect", "a", "b"], 'Unexpected argument "b"'],
    [["cache", "lst"], 'Unexpected argument "lst": did you mean list?'],
    [["cache", "clear", "result"], 'Cannot clear "result": did you mean results?'],
    [["cache", "list", "x"], 'Cannot list "x": kinds are results, downloads, snapshots, packages'],
    [["permissions", "lst"], 'Unexpected argument "lst"'],
    [["permissions", "list", "x"], 'Unexpected argument "x"'],
    [["permissions", "remove"], "Name what to remove"],
    [["permissions", "remove", "x", "--all"], "Name what to remove"],
    [["permissions", "--all"], "Cannot use --all with list"],
    [["secrets", "get", "A"], 'Unexpected argument "get"'],
    [["secrets", "list", "A"], 'Unexpected argument "A"'],
    [["secrets", "set"], "Name a secret"],
    [["secrets", "set", "A", "--json"], "Cannot use --json with set"],
    [["secrets", "delete", "A", "B"], 'Unexpected argument "B"'],
    [["run", "a", "--config"], "--config needs a value"],
    [["run", "a", "--audit-log"], "--audit-log needs a value"],
  ])("of %j says why not", (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(message);
    expect(() => parseArguments(argv)).toThrow(UsageError);
  });
  test.each(LATER_VERBS)("says that %s is not part of this version, and help does not list it", (verb) => {
    expect(() => parseArguments([verb])).toThrow(`fuselet ${verb} is not part of this version`);
    expect(helpText(null)).not.toMatch(new RegExp(`^  ${verb}`, "m"));
  });
});

test("helpText() lists every option of every verb", () => {
  for (const verb of VERBS)
    for (const { name } of verb.options) expect(helpText(verb)).toContain(`--${name}`);
  expect(helpText(null)).toContain("inspect");
});

test("the table of options agrees with formats and permissions", () => {
  expect(FORMATS).toEqual(Object.keys(FORMAT_TABLE));
  const names = VERBS[0]?.options.map((option) => option.name) ?? [];
  expect(PERMISSION_FLAGS.filter((flag) => !names.includes(flag))).toEqual([]);
});

test("parseTime(), parseSize() and parseTile() take what the help shows", () => {
  expect(["500ms", "2s", "1.5m", "1h"].map((text) => parseTime(text, "time-limit"))).toEqual([
    500, 2000, 90_000, 3_600_000,
  ]);
  expect(["512MB", "1GB", "1gib", "64kb", "10B"].map((text) => parseSize(text, "memory-limit"))).toEqual([
    512 * 2 ** 20,
    2 ** 30,
    2 ** 30,
    65_536,
    10,
  ]);
  expect(parseTile("3/4/2")).toEqual({ z: 3, x: 4, y: 2 });
  for (const text of ["2", "0s", "-1s", "1d", "", "1e3s", "99999999h"])
    expect(() => parseTime(text, "t")).toThrow("--t");
  for (const text of ["2", "0MB", "1TB", "", "9999999999GB"])
    expect(() => parseSize(text, "m")).toThrow("--m");
  for (const text of ["3/8/0", "31/0/0", "1/2", "a/b/c", "1/-1/0", ""])
    expect(() => parseTile(text)).toThrow("--tile");
});

import { describe, expect, it } from "vitest";
import { interpreterOf } from "./packages.ts";
import { allowsVersion, applies, parseRequirement, RequirementError } from "./packages-requirement.ts";

const { environment } = interpreterOf({ python: "3.12.7", platform: "emscripten_3_1_58" }, "here");

describe("parseRequirement()", () => {
  it.each([
    ["Requests", "requests", [], ""],
    ["zope.interface>=5", "zope-interface", [], ">=5"],
    ["a_b [X, y_z] >= 1.0 , < 2", "a-b", ["x", "y-z"], ">=1.0,<2"],
    ["name (>=1,!=1.5)", "name", [], ">=1,!=1.5"],
    ["name==1.*", "name", [], "==1.*"],
    ["name~=1.4.2", "name", [], "~=1.4.2"],
    ["name>=1,", "name", [], ">=1"],
    ["name[]", "name", [], ""],
  ])("reads %s", (text, name, extras, specifier) => {
    expect(parseRequirement(text)).toMatchObject({ name, extras, specifier, marker: null });
  });
  it.each([
    "",
    "-name",
    "name>=",
    "name=>1",
    "name 1.0",
    "name @ https://example.org/name.whl",
    "git+https://example.org/name",
    "./name.whl",
    "name; os == 'x'",
    "name; python_version",
    "name; (python_version > '3'",
    "name; python_version > '3' and",
    "name[a",
    "name[a b]",
    "name[a/b]",
    `name>=${"1".repeat(1024)}`,
    `name; ${"(".repeat(200)}python_version > '3'${")".repeat(200)}`,
    `name${" ".repeat(10_000)}>=1`,
  ])("refuses %j", (text) => {
    expect(() => parseRequirement(text)).toThrow(RequirementError);
  });
  it.each([
    (n: number) => `a[${" ".repeat(n)}`,
    (n: number) => `a[${" ,".repeat(n / 2)}`,
    (n: number) => `a${" ".repeat(n)}!`,
    (n: number) => `a; ${" ".repeat(n)}!`,
    (n: number) => `a${"-".repeat(n)}`,
    (n: number) => `a${">=1,".repeat(n / 4)}x`,
    (n: number) => `a==1${".1".repeat(n / 2)}x`,
  ])("is done at once, whatever the text is: %s", (textOf) => {
    for (let i = 0; i < 200; i++) expect(() => parseRequirement(textOf(1000))).toThrow(RequirementError);
  });
});

describe("applies()", () => {
  it.each([
    ["python_version >= '3.9'", true],
    ["python_version < '3.10'", false],
    ["python_full_version == '3.12.7'", true],
    ["'3.12' == python_version", true],
    ["sys_platform == 'emscripten'", true],
    ["sys_platform != 'win32' and platform_machine == 'wasm32'", true],
    ["sys_platform == 'win32' or platform_system == \"Emscripten\"", true],
    ["(sys_platform == 'win32' or os_name == 'nt') and python_version > '3'", false],
    ["sys_platform == 'win32' and os_name == 'nt' or python_version > '3'", true],
    ["platform_machine in 'x86_64 wasm32'", true],
    ["platform_machine not in 'x86_64 wasm32'", false],
    ["platform_python_implementation == 'CPython'", true],
    ["implementation_name == 'pypy'", false],
    ["os.name == 'posix'", true],
    ["extra == 'socks'", false],
  ])("%s is %s", (marker, expected) => {
    expect(applies(parseRequirement(`name; ${marker}`), environment)).toBe(expected);
  });
  it("counts extras that are asked for, however they are written", () => {
    const requirement = parseRequirement("name; extra == 'Use_Socks' and python_version > '3'");
    expect(applies(requirement, environment, ["other", "use-socks"])).toBe(true);
    expect(applies(requirement, environment, ["other"])).toBe(false);
  });
});

describe("allowsVersion()", () => {
  it.each([
    ["n>=1,<2", "1.5", true],
    ["n>=1,<2", "2.0", false],
    ["n==1.*", "1.9.3", true],
    ["n~=1.4.2", "1.5", false],
    ["n!=1.5", "1.5.0", false],
    ["n", "2.0rc1", false],
    ["n>=1", "2.0.dev1", false],
    ["n>=2.0rc1", "2.0rc1", true],
    ["n>1.0", "1.0.post1", false],
    ["n==1.0", "1.0+local", true],
    ["n", "1.1.1w", true],
  ])("%s with %s is %s", (text, version, expected) => {
    expect(allowsVersion(parseRequirement(text), version, false)).toBe(expected);
  });
  it("takes pre-releases where they are wanted", () => {
    expect(allowsVersion(parseRequirement("n"), "2.0rc1", true)).toBe(true);
    expect(allowsVersion(parseRequirement("n>=1"), "2.0rc1", true)).toBe(true);
  });
});

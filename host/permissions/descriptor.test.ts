import { describe, expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { checkPermissions, type Permissions } from "./descriptor.ts";
import { narrow } from "./narrow.ts";
import { PERMISSIONS_SCHEMA } from "./schema.ts";

describe("checkPermissions()", () => {
  test("brings rules to canonical form and freezes all", () => {
    const checked = checkPermissions({
      net: ["Example.org.", "example.org"],
      read: ["s3://b/a/"],
      secrets: ["A", { name: "B", hosts: ["API.example.org"], reveal: true }],
      cache: true,
      native: false,
      deny: { net: ["169.254.0.0/16"], native: true },
    });
    expect(checked).toEqual({
      net: ["example.org"],
      read: ["s3://b/a"],
      secrets: ["A", { name: "B", hosts: ["api.example.org"], reveal: true }],
      cache: true,
      native: false,
      deny: { net: ["169.254.0.0/16"], native: true },
    });
    expect(Object.isFrozen(checked) && Object.isFrozen(checked.net) && Object.isFrozen(checked.deny)).toBe(
      true,
    );
    expect(checkPermissions(checked)).toBe(checked);
    expect(checkPermissions(JSON.parse(JSON.stringify(checked)))).toEqual(checked);
  });
  test.each([
    [null, "Cannot set permissions: it must be an object: received null"],
    [[], "it must be an object: received a list"],
    [{ network: true }, 'Cannot set permissions: "network" is unknown; names are net, read,'],
    [JSON.parse('{"__proto__": {"net": true}}'), '"__proto__" is unknown'],
    [{ net: "example.org" }, "Cannot set permissions.net: it must be true, false or a list of texts"],
    [{ net: [1] }, "Cannot set permissions.net[0]: it must be the text of a host: received 1"],
    [{ net: [""] }, 'Cannot set permissions.net[0]: it is empty: received ""'],
    [{ net: Array(1) }, "permissions.net[0]"],
    [{ cache: ["a"] }, "Cannot set permissions.cache: it must be true or false"],
    [{ read: ["a/../b"] }, "Cannot set permissions.read[0]: it has a part . or .."],
    [{ secrets: [{ name: "A", host: "b" }] }, 'Cannot set permissions.secrets[0]: "host" is unknown'],
    [{ secrets: [{ name: "A", reveal: 1 }] }, "permissions.secrets[0].reveal"],
    [{ secrets: [{ name: "A", hosts: ["*"] }] }, "permissions.secrets[0].hosts[0]"],
    [{ secrets: [{}] }, "permissions.secrets[0].name"],
    [{ deny: { deny: {} } }, 'Cannot set permissions.deny: "deny" is unknown'],
    [{ deny: true }, "Cannot set permissions.deny: it must be an object"],
  ])("refuses %j", (value, message) => {
    expect(() => checkPermissions(value)).toThrow(message);
    expect(() => checkPermissions(value)).toThrow(UsageError);
  });
  test("reads own properties only", () => {
    expect(checkPermissions(Object.create({ net: true }))).toEqual({});
  });
});

describe("narrow()", () => {
  const cases: [Permissions, Permissions, Permissions][] = [
    [{ net: true }, {}, {}],
    [{ net: true }, { net: ["a.org"] }, { net: ["a.org"] }],
    [{ net: ["*.a.org"] }, { net: ["b.a.org:443", "c.org"] }, { net: ["b.a.org:443"] }],
    [{ net: ["a.org"] }, { net: ["b.org"] }, { net: [] }],
    [{ cache: true, native: true }, { cache: true }, { cache: true }],
    [{ read: ["/a"] }, { read: ["/a/b", "/c"] }, { read: ["/a/b"] }],
    [{ secrets: true }, { secrets: true }, { secrets: true }],
    [
      { secrets: true },
      { secrets: [{ name: "K", hosts: ["a.org"], reveal: true }] },
      { secrets: [{ name: "K", hosts: ["a.org"], reveal: false }] },
    ],
    [
      { secrets: [{ name: "K", hosts: ["*.a.org"], reveal: true }, "L"] },
      { secrets: [{ name: "K", hosts: ["b.a.org", "c.org"], reveal: true }] },
      { secrets: [{ name: "K", hosts: ["b.a.org"], reveal: true }] },
    ],
    [
      { net: true, deny: { net: ["a.org"], write: true } },
      { net: true, deny: { net: ["b.org"], write: ["/x"] } },
      { net: true, deny: { net: ["a.org", "b.org"], write: true } },
    ],
  ];
  test.each(cases)("of %j and %j is %j", (a, b, both) => {
    expect(narrow(a, b)).toEqual(both);
    expect(narrow(b, a)).toEqual(both);
    // What was narrowed once is narrow enough.
    expect(narrow(both, a)).toEqual(both);
    expect(narrow(both, b)).toEqual(both);
  });
});

test("PERMISSIONS_SCHEMA names what the validator knows", () => {
  const { properties } = PERMISSIONS_SCHEMA;
  for (const name of Object.keys(properties))
    expect(() => checkPermissions({ [name]: name === "deny" ? {} : true })).not.toThrow();
});

import { describe, expect, test } from "vitest";
import { checkPermissions, type Permissions } from "../permissions/descriptor.ts";
import { addressPolicy } from "./address-policy.ts";

const policyOf = (permissions: Permissions) => addressPolicy(checkPermissions(permissions));
const refusal = (permissions: Permissions, host: string, address: string, port = 80) =>
  policyOf(permissions).refusal(host, address, port);

describe("addressPolicy().refusal()", () => {
  test("says host, address, class and the rule that would grant it", () => {
    expect(refusal({ net: ["intranet.example"] }, "intranet.example", "10.0.0.5")).toMatchObject({
      message:
        'Requires net access to "10.0.0.5:80", an address of intranet.example (private): run again with --allow-net=10.0.0.5:80',
      permission: "net",
      value: "10.0.0.5:80",
      grant: "--allow-net=10.0.0.5:80",
    });
    expect(refusal({ net: ["a.example"] }, "a.example", "::1", 8080)?.grant).toBe("'--allow-net=[::1]:8080'");
  });

  test.each<[string, Permissions, string, string]>([
    ["public addresses of a granted name", { net: ["a.example"] }, "a.example", "93.184.215.14"],
    ["what a rule names", { net: ["a.example", "10.0.0.5"] }, "a.example", "10.0.0.5"],
    ["what a rule names with its port", { net: ["a.example", "10.0.0.5:80"] }, "a.example", "10.0.0.5"],
    ["what lies in a granted network", { net: ["a.example", "10.0.0.0/8"] }, "a.example", "10.9.8.7"],
    ["IPv6 in a granted network", { net: ["a.example", "[fd00::]/8"] }, "a.example", "fd12::1"],
    [
      "mapped addresses under rules for IPv4",
      { net: ["a.example", "10.0.0.0/8"] },
      "a.example",
      "::ffff:10.0.0.1",
    ],
    ["all with all granted", { net: true }, "a.example", "169.254.169.254"],
    ["loopback of localhost", { net: ["localhost"] }, "localhost", "127.0.0.1"],
    ["loopback of a name below it", { net: ["*.localhost"] }, "a.localhost", "::1"],
    ["an address that the URL names, which was granted as such", {}, "10.0.0.5", "10.0.0.5"],
    [
      "one denied at another port",
      { net: ["a.example"], deny: { net: ["1.1.1.1:443"] } },
      "a.example",
      "1.1.1.1",
    ],
  ])("allows %s", (_, permissions, host, address) => {
    expect(refusal(permissions, host, address)).toBeNull();
  });

  test.each<[string, Permissions, string, string]>([
    ["private addresses", { net: ["a.example"] }, "a.example", "192.168.0.1"],
    ["loopback of another name", { net: ["a.example"] }, "a.example", "127.0.0.1"],
    [
      "loopback of a name that only looks like localhost",
      { net: ["notlocalhost"] },
      "notlocalhost",
      "127.0.0.1",
    ],
    ["what is not loopback of localhost", { net: ["localhost"] }, "localhost", "10.0.0.1"],
    ["metadata services", { net: ["a.example"] }, "a.example", "169.254.169.254"],
    ["another port than the granted one", { net: ["a.example", "10.0.0.5:443"] }, "a.example", "10.0.0.5"],
    [
      "NAT64 under a rule for the IPv4 inside",
      { net: ["a.example", "10.0.0.0/8"] },
      "a.example",
      "64:ff9b::a00:1",
    ],
    ["addresses with a zone", { net: ["a.example"] }, "a.example", "fe80::1%eth0"],
    ["addresses that are none", { net: true }, "a.example", "0x7f.1"],
    ["an empty address", { net: true }, "a.example", ""],
  ])("refuses %s", (_, permissions, host, address) => {
    expect(refusal(permissions, host, address)).toMatchObject({ name: "PermissionDeniedError" });
  });

  test.each<[string, Permissions["deny"], string]>([
    ["a public address", { net: ["93.184.215.14"] }, "93.184.215.14"],
    ["a network", { net: ["10.0.0.0/8"] }, "10.0.0.1"],
    ["a port", { net: ["10.0.0.1:80"] }, "10.0.0.1"],
    ["IPv4 inside NAT64", { net: ["10.0.0.0/8"] }, "64:ff9b::a00:1"],
    ["IPv4 inside 6to4", { net: ["10.0.0.0/8"] }, "2002:a00:1::"],
    ["IPv4 mapped into IPv6", { net: ["10.0.0.0/8"] }, "::ffff:10.0.0.1"],
    ["loopback, which 0.0.0.0 leads to", { net: ["127.0.0.0/8"] }, "0.0.0.0"],
    ["loopback, which :: leads to", { net: ["127.0.0.0/8"] }, "::"],
    ["all", { net: true }, "93.184.215.14"],
  ])(
    "lets a deny rule for %s win, also where all is granted and where the URL names it",
    (_, deny, address) => {
      for (const host of ["a.example", address]) {
        const error = refusal({ net: true, deny: deny ?? {} }, host, address);
        expect(error?.message).toContain("which is denied: run again without --deny-net");
        expect(error?.grant).toBe("");
      }
    },
  );
});

describe("addressPolicy()", () => {
  test("has one key for equal grants, another for others", () => {
    const key = policyOf({ net: ["a.example", "10.0.0.1"] }).key;
    expect(policyOf({ net: ["a.example", "10.0.0.1"] }).key).toBe(key);
    expect(policyOf({ net: ["a.example"] }).key).not.toBe(key);
    expect(policyOf({ net: ["a.example", "10.0.0.1"], deny: { net: ["1.1.1.1"] } }).key).not.toBe(key);
    expect(policyOf({ net: true }).key).not.toBe(policyOf({}).key);
  });

  test("is unbounded only where all is granted and nothing denied", () => {
    expect(policyOf({ net: true }).isUnbounded).toBe(true);
    expect(policyOf({ net: true, deny: { read: ["/a"] } }).isUnbounded).toBe(true);
    expect(policyOf({ net: true, deny: { net: ["a.example"] } }).isUnbounded).toBe(false);
    expect(policyOf({ net: true, deny: { net: true } }).isUnbounded).toBe(false);
    expect(policyOf({ net: ["0.0.0.0/0"] }).isUnbounded).toBe(false);
  });

  test("with() adds one address, and does not undo a denial", () => {
    const policy = policyOf({ net: ["a.example"], deny: { net: ["10.0.0.2"] } });
    const more = policy.with("10.0.0.1:80").with("10.0.0.2:80");
    expect(more.key).not.toBe(policy.key);
    expect(more.refusal("a.example", "10.0.0.1", 80)).toBeNull();
    expect(more.refusal("a.example", "10.0.0.1", 81)).not.toBeNull();
    expect(more.refusal("a.example", "10.0.0.2", 80)?.message).toContain("denied");
    expect(policy.refusal("a.example", "10.0.0.1", 80)).not.toBeNull();
  });
});

import { describe, expect, test } from "vitest";
import { net } from "./net.ts";

describe("net.parse()", () => {
  test.each([
    ["Example.ORG", "example.org"],
    ["example.org.", "example.org"],
    ["example.org:443", "example.org:443"],
    ["*.Example.org:8080", "*.example.org:8080"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["localhost", "localhost"],
    ["127.0.0.1", "127.0.0.1"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["[::1]", "[::1]"],
    ["[0:0:0:0:0:0:0:1]:8080", "[::1]:8080"],
    ["[fd00::]/8", "[fd00::]/8"],
    ["[::ffff:10.0.0.0]/104", "10.0.0.0/8"],
    ["[::ffff:127.0.0.1]", "127.0.0.1"],
  ])("of %s is %s, and stays so", (text, rule) => {
    expect(net.parse(text)).toBe(rule);
    expect(net.parse(rule)).toBe(rule);
  });
  test.each([
    ["", "empty"],
    ["*", "leave out the list"],
    ["https://example.org/a", "name the host alone: example.org"],
    ["example.org/a", "only hosts"],
    ["::1", "in brackets: [::1]"],
    ["fd00::/8", "in brackets: [fd00::]"],
    ["2130706433", "write it that way"],
    ["0x7f.1", "it is the address 127.0.0.1"],
    ["0177.0.0.1", "it is the address 127.0.0.1"],
    ["*.127.0.0.1", "before a name"],
    ["10.0.0.1/8", "bits beyond the first 8"],
    ["10.0.0.0/33", "prefix of 33 bits"],
    ["10.0.0/8", "no valid address"],
    ["example.org:0", "no host"],
    ["example.org:65536", "no host"],
    ["example.org:080", "no host"],
    ["example.org:", "no host"],
    ["user@example.org", "no host"],
    ["a*.example.org", "no host"],
    ["*.*.example.org", "no host"],
    ["exa mple.org", "no host"],
    ["example..org", "no host"],
    ["%65xample.org", "no host"],
    ["example.org?", "no host"],
    ["a\u202eb.org", "no host"],
  ])("refuses %j: %s", (text, why) => {
    expect(() => net.parse(text)).toThrow(why);
  });
});

const allows = (rule: string, value: string) => net.allows(net.parse(rule), value);
const denies = (rule: string, value: string) => net.denies(net.parse(rule), value);

describe("net.allows()", () => {
  test.each([
    ["example.org", "example.org:443"],
    ["example.org", "EXAMPLE.org.:80"],
    ["example.org:443", "example.org:443"],
    ["*.example.org", "a.b.example.org:443"],
    ["bücher.example", "xn--bcher-kva.example:443"],
    ["example.org", "ｅxample.org:443"],
    ["10.0.0.0/8", "10.1.2.3:80"],
    ["10.0.0.0/8", "[::ffff:10.1.2.3]:80"],
    ["127.0.0.1", "0x7f000001:80"],
    ["[fd00::]/8", "[fd12::1]:443"],
  ])("%s covers %s", (rule, value) => {
    expect(allows(rule, value)).toBe(true);
  });
  test.each([
    ["example.org", "evil-example.org:443"],
    ["example.org", "example.org.evil.net:443"],
    ["example.org", "a.example.org:443"],
    ["example.org:443", "example.org:4430"],
    ["example.org:443", "example.org"],
    ["*.example.org", "example.org:443"],
    ["*.example.org", "aexample.org:443"],
    ["example.org", "example.org@evil.net:443"],
    ["example.org", "evil.net#example.org"],
    ["example.org", "evil.net/.example.org"],
    ["example.org", "example.org\\.evil.net"],
    ["example.org", "example.org\n.evil.net"],
    ["example.org", "ехample.org:443"],
    ["10.0.0.0/8", "11.0.0.1:80"],
    ["10.0.0.0/8", "10.example.org:80"],
    ["10.0.0.0/8", "168.1.1.10.in-addr.arpa"],
    ["0.0.0.0/0", "example.org:80"],
    ["0.0.0.0/0", "[::1]:80"],
    ["example.org", ""],
    ["example.org", "example.org:443:80"],
  ])("%s does not cover %j", (rule, value) => {
    expect(allows(rule, value)).toBe(false);
  });
});

describe("net.denies()", () => {
  test.each([
    ["example.org", "EXAMPLE.ORG.:80"],
    ["example.org:443", "example.org"],
    ["127.0.0.0/8", "2130706433:80"],
    ["127.0.0.0/8", "0177.1:80"],
    ["127.0.0.0/8", "[::ffff:7f00:1]:80"],
    ["127.0.0.0/8", "127。0。0。1:80"],
    ["169.254.0.0/16", "169.254.169.254:80"],
    ["example.org", "bad host"],
  ])("%s covers %s", (rule, value) => {
    expect(denies(rule, value)).toBe(true);
  });
  test("does not cover others", () => {
    expect(denies("example.org", "a.example.org:443")).toBe(false);
    expect(denies("example.org:443", "example.org:80")).toBe(false);
  });
});

describe("net.intersect()", () => {
  test.each([
    ["example.org", "example.org:443", "example.org:443"],
    ["*.example.org:443", "a.example.org", "a.example.org:443"],
    ["*.example.org", "*.b.example.org", "*.b.example.org"],
    ["*.example.org", "*.example.org", "*.example.org"],
    ["10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16"],
    ["10.0.0.0/8", "10.1.2.3:80", "10.1.2.3:80"],
    ["example.org:80", "example.org:443", null],
    ["*.example.org", "example.org", null],
    ["10.0.0.0/8", "11.0.0.0/8", null],
    ["10.0.0.0/8", "example.org", null],
    ["*.a.org", "*.b.org", null],
  ])("of %s and %s is %s", (a, b, both) => {
    expect(net.intersect(a, b)).toBe(both);
    expect(net.intersect(b, a)).toBe(both);
  });
});

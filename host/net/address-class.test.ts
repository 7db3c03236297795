import { describe, expect, test } from "vitest";
import { type Address, parseAddress } from "../permissions/address.ts";
import { classifyAddress, embeddedAddresses } from "./address-class.ts";

const classOf = (text: string) => classifyAddress(parseAddress(text) as Address);

describe("classifyAddress()", () => {
  test.each([
    // The edges of each block, and what lies beside them.
    ["0.0.0.0", "unspecified"],
    ["0.255.255.255", "unspecified"],
    ["1.0.0.0", "public"],
    ["9.255.255.255", "public"],
    ["10.0.0.0", "private"],
    ["10.255.255.255", "private"],
    ["11.0.0.0", "public"],
    ["100.63.255.255", "public"],
    ["100.64.0.0", "shared"],
    ["100.127.255.255", "shared"],
    ["100.128.0.0", "public"],
    ["100.100.100.200", "metadata"],
    ["126.255.255.255", "public"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.255", "loopback"],
    ["128.0.0.0", "public"],
    ["168.63.129.16", "metadata"],
    ["168.63.129.17", "public"],
    ["169.253.255.255", "public"],
    ["169.254.0.1", "link-local"],
    ["169.254.169.254", "metadata"],
    ["169.254.170.2", "metadata"],
    ["169.255.0.0", "public"],
    ["172.15.255.255", "public"],
    ["172.16.0.0", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", "public"],
    ["192.0.0.1", "reserved"],
    ["192.0.0.192", "metadata"],
    ["192.0.1.0", "public"],
    ["192.0.2.1", "documentation"],
    ["192.88.99.1", "reserved"],
    ["192.167.255.255", "public"],
    ["192.168.1.1", "private"],
    ["192.169.0.0", "public"],
    ["198.17.255.255", "public"],
    ["198.18.0.1", "benchmarking"],
    ["198.19.255.255", "benchmarking"],
    ["198.51.100.7", "documentation"],
    ["203.0.113.7", "documentation"],
    ["223.255.255.255", "public"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.255", "multicast"],
    ["240.0.0.1", "reserved"],
    ["255.255.255.254", "reserved"],
    ["255.255.255.255", "broadcast"],
    ["8.8.8.8", "public"],

    ["::", "unspecified"],
    ["::1", "loopback"],
    ["fc00::1", "private"],
    ["fdff::1", "private"],
    ["fd00:ec2::254", "metadata"],
    ["fd20:ce::254", "metadata"],
    ["fe80::1", "link-local"],
    ["febf::1", "link-local"],
    ["fec0::1", "private"],
    ["ff02::1", "multicast"],
    ["2001:db8::1", "documentation"],
    ["3fff:fff::1", "documentation"],
    ["2001:2::1", "benchmarking"],
    ["2001:20::1", "reserved"],
    ["100::1", "reserved"],
    ["5f00::1", "reserved"],
    ["1::1", "reserved"],
    ["4000::1", "reserved"],
    ["2606:4700:4700::1111", "public"],
    ["2a00:1450:4001::1", "public"],
    ["3ffe::1", "public"],
  ])("%s is %s", (text, kind) => {
    expect(classOf(text)).toBe(kind);
  });

  test.each([
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:a9fe:a9fe", "metadata"],
    ["::ffff:8.8.8.8", "public"],
    ["::127.0.0.1", "loopback"],
    ["::10.1.2.3", "private"],
    ["::8.8.8.8", "reserved"],
    ["64:ff9b::169.254.169.254", "metadata"],
    ["64:ff9b::10.0.0.1", "private"],
    ["64:ff9b::8.8.8.8", "public"],
    ["64:ff9b:1::8.8.8.8", "private"],
    ["2002:7f00:1::", "loopback"],
    ["2002:c0a8:101::1", "private"],
    ["2002:808:808::1", "public"],
    // Teredo: the server in the second and third word, the client inverted at the end.
    ["2001:0:a00:1::f7f7:f7f7", "private"],
    ["2001:0:808:808::f5ff:fffe", "private"],
    ["2001:0:808:808::f7f7:f7f7", "reserved"],
  ])("%s, which carries an IPv4 address, is %s", (text, kind) => {
    expect(classOf(text)).toBe(kind);
  });
});

test("embeddedAddresses() gives the IPv4 addresses inside", () => {
  const inside = (text: string) =>
    embeddedAddresses(parseAddress(text) as Address).map(({ value }) => value.toString(16));
  expect(inside("64:ff9b::10.0.0.1")).toEqual(["a000001"]);
  expect(inside("2002:7f00:1::")).toEqual(["7f000001"]);
  expect(inside("2001:0:808:808::f5ff:fffe")).toEqual(["a000001", "8080808"]);
  expect(inside("2606:4700::1")).toEqual([]);
  expect(inside("::1")).toEqual([]);
  expect(inside("10.0.0.1")).toEqual([]);
});

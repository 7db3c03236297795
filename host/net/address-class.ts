/**
 * What an IP address is for. Sources: IANA's registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890, RFC 8190;
 * as of 2025-10-09), RFC 5771 and RFC 4291 (multicast), and the documentation of cloud providers (metadata services).
 */
import { type Address, contains, type Network, parseAddress } from "../permissions/address.ts";

/** `public` is what the whole internet can reach; all others lead somewhere that a stranger's code should not. */
export type AddressClass =
  | "public"
  | "loopback"
  | "private"
  | "shared"
  | "link-local"
  | "metadata"
  | "multicast"
  | "broadcast"
  | "unspecified"
  | "documentation"
  | "benchmarking"
  | "reserved";

function network(text: string): Network {
  const [address, prefix] = text.split("/") as [string, string?];
  const parsed = parseAddress(address) as Address;
  return { address: parsed, prefix: prefix === undefined ? parsed.bits : Number(prefix) };
}

/** The first network that contains an address decides. */
const CLASSES: readonly (readonly [Network, AddressClass])[] = (
  [
    // Services that hand credentials to whoever asks from inside a machine: AWS, Google, Azure and others at the first one.
    ["169.254.169.254", "metadata"],
    ["169.254.170.2", "metadata"], // AWS, containers
    ["169.254.170.23", "metadata"], // AWS, pods
    ["100.100.100.200", "metadata"], // Alibaba
    ["168.63.129.16", "metadata"], // Azure, a public address that stays inside
    ["192.0.0.192", "metadata"], // Oracle
    ["fd00:ec2::/32", "metadata"], // AWS
    ["fd20:ce::254", "metadata"], // Google

    ["0.0.0.0/8", "unspecified"],
    ["10.0.0.0/8", "private"],
    ["100.64.0.0/10", "shared"],
    ["127.0.0.0/8", "loopback"],
    ["169.254.0.0/16", "link-local"],
    ["172.16.0.0/12", "private"],
    ["192.0.0.0/24", "reserved"],
    ["192.0.2.0/24", "documentation"],
    ["192.88.99.0/24", "reserved"],
    ["192.168.0.0/16", "private"],
    ["198.18.0.0/15", "benchmarking"],
    ["198.51.100.0/24", "documentation"],
    ["203.0.113.0/24", "documentation"],
    ["224.0.0.0/4", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["240.0.0.0/4", "reserved"],
    ["0.0.0.0/0", "public"],

    ["::", "unspecified"],
    ["::1", "loopback"],
    // A gateway translates it; networks without IPv4 reach the rest of the internet that way.
    ["64:ff9b::/96", "public"],
    ["64:ff9b:1::/48", "private"],
    ["2001:2::/48", "benchmarking"],
    ["2001:db8::/32", "documentation"],
    ["2001::/23", "reserved"],
    ["3fff::/20", "documentation"],
    ["fc00::/7", "private"],
    ["fe80::/10", "link-local"],
    ["fec0::/10", "private"],
    ["ff00::/8", "multicast"],
    // All that is given out for use on the internet.
    ["2000::/3", "public"],
    ["::/0", "reserved"],
  ] as const
).map(([text, kind]) => [network(text), kind]);

/** Forms of IPv6 that carry an IPv4 address, and where its last bit is. */
const EMBEDDINGS: readonly { network: Network; shift: bigint; inverted: boolean }[] = [
  { network: network("64:ff9b::/96"), shift: 0n, inverted: false }, // NAT64, RFC 6052
  { network: network("2002::/16"), shift: 80n, inverted: false }, // 6to4, RFC 3056
  { network: network("2001::/32"), shift: 0n, inverted: true }, // Teredo, the client; RFC 4380
  { network: network("2001::/32"), shift: 64n, inverted: false }, // Teredo, the server
  { network: network("::/96"), shift: 0n, inverted: false }, // IPv4-compatible, RFC 4291
];

/** The IPv4 addresses that an IPv6 address leads to through a gateway or a tunnel. IPv4 inside ::ffff:0:0/96 is IPv4 already. */
export function embeddedAddresses(address: Address): Address[] {
  if (address.value <= 1n) return [];
  return EMBEDDINGS.filter((embedding) => contains(embedding.network, address)).map(({ shift, inverted }) => {
    const value = (address.value >> shift) & 0xffffffffn;
    return { value: inverted ? value ^ 0xffffffffn : value, bits: 32 };
  });
}

/** Says what an address is for; one that embeds an IPv4 address that is not public is what that address is. */
export function classifyAddress(address: Address): AddressClass {
  const inside = embeddedAddresses(address)
    .map(classifyAddress)
    .find((kind) => kind !== "public");
  return inside ?? CLASSES.find(([candidate]) => contains(candidate, address))?.[1] ?? "reserved";
}

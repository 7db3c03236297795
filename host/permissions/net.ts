/**
 * Rules for `net`:
 *
 *     example.org          this host, any port         10.0.0.0/8   [fd00::]/8     addresses in a network
 *     example.org:443      this host and port          [::1]  [::1]:8080           IPv6 stands in brackets
 *     *.example.org        all hosts below, any depth, not example.org itself
 *
 * Hosts are compared as the URL standard canonicalises them, because that is what a request will use: lower case, IDNA as
 * ASCII, no trailing dot, `0x7f.1` and `2130706433` as `127.0.0.1`, IPv4 inside IPv6 as IPv4.
 */
import { type Address, contains, hasHostBits, parseAddress } from "./address.ts";
import { RuleError, type RuleKind, UNSAFE_CHARACTERS } from "./rules.ts";

interface Rule {
  /** A host, or the part after `*.`; undefined for a network or an address. */
  host?: string;
  wildcard: boolean;
  network?: { address: Address; prefix: number };
  port: string | null;
}

interface Target {
  host: string;
  address: Address | null;
  port: string | null;
}

/** So many rules, and so many hosts, are remembered; texts that are longer than a host can be are not. */
const MOST_KNOWN = 1000;
const MOST_CHARACTERS = 300;

/** `read`, remembered: each request asks for the same few rules and hosts again, and reading them takes longer than deciding. */
function remembered<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const value = read(text);
    if (known.size >= MOST_KNOWN) known.clear();
    if (text.length <= MOST_CHARACTERS) known.set(text, value);
    return value;
  };
}

const knownRule = remembered(readRule);
const knownTarget = remembered(readTarget);
const knownCanonical = remembered((value) => {
  const target = knownTarget(value);
  return target && formatTarget(target);
});

export const net: RuleKind = {
  noun: "a host",

  parse(text) {
    return formatRule(readRule(text));
  },

  canonical: knownCanonical,

  allows(text, value) {
    const rule = knownRule(text);
    const target = knownTarget(value);
    return target !== null && covers(rule, target) && (rule.port === null || rule.port === target.port);
  },

  denies(text, value) {
    const rule = knownRule(text);
    const target = knownTarget(value);
    if (target === null) return true;
    // A target without a port stands for all ports, so a rule for one port denies it.
    return covers(rule, target) && (rule.port === null || target.port === null || rule.port === target.port);
  },

  intersect(a, b) {
    const [one, two] = [readRule(a), readRule(b)];
    if (one.port !== null && two.port !== null && one.port !== two.port) return null;
    const inner = coversRule(one, two) ? two : coversRule(two, one) ? one : null;
    return inner && formatRule({ ...inner, port: one.port ?? two.port });
  },
};

function readRule(text: string): Rule {
  const hint = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text);
  if (hint)
    throw new RuleError(`it is a URL; name the host alone: ${text.slice(hint[0].length).split("/")[0]}`);
  if (text === "") throw new RuleError("it is empty");
  if (text === "*") throw new RuleError("it covers every host; to allow all, leave out the list");
  if ((text.match(/:/g) ?? []).length > 1 && !text.startsWith("[")) {
    throw new RuleError(`an IPv6 address stands in brackets: [${text.replace(/\/.*/, "")}]`);
  }
  const network = /^(\[([^\]]*)\]|[\d.]+)\/(\d{1,3})$/.exec(text);
  if (network) return readNetwork(text, network[2] ?? (network[1] as string), Number(network[3]));
  if (text.includes("/"))
    throw new RuleError("it has a path or a bad network; only hosts, ports and networks are named");
  const wildcard = text.startsWith("*.");
  const target = readTarget(wildcard ? text.slice(2) : text);
  if (target === null || text.includes("*", wildcard ? 1 : 0)) {
    throw new RuleError(
      "it is no host; write example.org, example.org:443, *.example.org, 10.0.0.0/8 or [::1]:8080",
    );
  }
  if (target.address) {
    if (wildcard) throw new RuleError("a wildcard stands before a name, not before an address");
    const written = text.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    if (parseAddress(written) === null)
      throw new RuleError(`it is the address ${target.host}; write it that way`);
    return { wildcard, network: { address: target.address, prefix: target.address.bits }, port: target.port };
  }
  return { host: target.host, wildcard, port: target.port };
}

function readNetwork(text: string, host: string, prefix: number): Rule {
  const address = parseAddress(host);
  if (address === null) throw new RuleError("its network has no valid address");
  const mapped = address.bits === 32 && text.startsWith("[");
  const bits = mapped ? prefix - 96 : prefix;
  if (bits < 0 || bits > address.bits) throw new RuleError(`its network has a prefix of ${prefix} bits`);
  const network = { address, prefix: bits };
  if (hasHostBits(network)) throw new RuleError(`its address has bits beyond the first ${prefix}`);
  return { wildcard: false, network, port: null };
}

/** Reads `host`, `host:port`, `[address]` or `[address]:port`; null for anything that a URL could read in another way. */
function readTarget(text: string): Target | null {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::([1-9]\d{0,4}))?$/.exec(text);
  const raw = parts?.[1];
  const port = parts?.[2] ?? null;
  if (raw === undefined || Number(port ?? 1) > 65_535) return null;
  if (/[\s/\\?#@%<>^|*,"'`{}]/.test(raw) || UNSAFE_CHARACTERS.test(raw)) return null;
  let host: string;
  try {
    host = new URL(`http://${raw}/`).hostname;
  } catch {
    return null;
  }
  if (host.endsWith(".")) host = host.slice(0, -1);
  if (host.length > 253 || (!host.startsWith("[") && host.split(".").includes(""))) return null;
  // A wildcard or a separator that IDNA made out of another character is no host either.
  if (/[^a-z0-9._:[\]-]/.test(host)) return null;
  return { host, address: parseAddress(host.replace(/^\[|\]$/g, "")), port };
}

function covers(rule: Rule, target: Target): boolean {
  if (rule.network) return target.address !== null && contains(rule.network, target.address);
  if (target.address) return false;
  return rule.wildcard ? target.host.endsWith(`.${rule.host}`) : target.host === rule.host;
}

/** Whether all hosts of `inner` are hosts of `outer`; ports aside. */
function coversRule(outer: Rule, inner: Rule): boolean {
  if (outer.network || inner.network) {
    return (
      outer.network !== undefined &&
      inner.network !== undefined &&
      inner.network.prefix >= outer.network.prefix &&
      contains(outer.network, inner.network.address)
    );
  }
  if (!outer.wildcard) return !inner.wildcard && inner.host === outer.host;
  return (inner.wildcard && inner.host === outer.host) || `${inner.host}`.endsWith(`.${outer.host}`);
}

function formatAddress({ value, bits }: Address): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const words = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  return new URL(`http://[${words.join(":")}]/`).hostname;
}

function formatRule({ host, wildcard, network, port }: Rule): string {
  const suffix = port === null ? "" : `:${port}`;
  if (!network) return `${wildcard ? "*." : ""}${host}${suffix}`;
  const single = network.prefix === network.address.bits;
  return `${formatAddress(network.address)}${single ? "" : `/${network.prefix}`}${suffix}`;
}

function formatTarget({ host, address, port }: Target): string {
  return `${address ? formatAddress(address) : host}${port === null ? "" : `:${port}`}`;
}

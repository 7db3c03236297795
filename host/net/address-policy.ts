/**
 * Which addresses a run may be connected to. A name that was granted does not grant what it resolves to: whoever owns the
 * name could point it at the machine itself, at its neighbours, or at its metadata service.
 */
import { PermissionDeniedError } from "../../runtime/errors.ts";
import { type Address, parseAddress } from "../permissions/address.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import { formatFlag } from "../permissions/flags.ts";
import { net } from "../permissions/net.ts";
import { classifyAddress, embeddedAddresses } from "./address-class.ts";

export interface AddressPolicy {
  /** Equal for runs that may be connected to the same addresses. */
  readonly key: string;
  /** Whether nothing at all is out of bounds. */
  readonly isUnbounded: boolean;
  /**
   * Decides about an address that a host has. Public addresses are allowed; others only where a rule of `net` covers the
   * address itself, where all of `net` is granted, where `localhost` (or a name below it) means loopback, or where the URL
   * names the address, so that it was granted itself. A deny rule that covers the address wins.
   * @param host the host of the URL, which was granted; IPv6 without brackets
   * @returns why it is refused; null where it is allowed
   */
  refusal(host: string, address: string, port: number): PermissionDeniedError | null;
  /** The same, with an address and port more that somebody granted: the `value` of a refusal. */
  with(value: string): AddressPolicy;
}

const policies = new WeakMap<Permissions, AddressPolicy>();

/** The policy that follows from what a run was granted. */
export function addressPolicy(permissions: Permissions): AddressPolicy {
  let policy = policies.get(permissions);
  if (!policy) policies.set(permissions, (policy = makePolicy(permissions)));
  return policy;
}

function makePolicy(permissions: Permissions, more: readonly string[] = []): AddressPolicy {
  const granted = permissions.net ?? false;
  const denied = permissions.deny?.net ?? false;
  return {
    key: JSON.stringify([granted, denied, more]),
    isUnbounded: granted === true && (denied === false || (denied !== true && denied.length === 0)),
    refusal(host, text, port) {
      const address = parseAddress(text);
      const value = address && net.canonical(`${text.includes(":") ? `[${text}]` : text}:${port}`);
      if (!address || !value) return unreadable(host, port);
      const isLiteral = parseAddress(host)?.value === address.value;
      const kind = classifyAddress(address);
      const need = `Requires net access to "${value}"${isLiteral ? "" : `, an address of ${host}`} (${kind})`;
      const denying = denyingRule(denied, address, value, port);
      if (denying !== null) {
        const flag = formatFlag("deny", "net", denying === "true" ? undefined : denying);
        const remedy = `, which is denied: run again without ${flag}`;
        return new PermissionDeniedError(need + remedy, { permission: "net", value, grant: "", remedy });
      }
      if (kind === "public" || granted === true || isLiteral) return null;
      if (kind === "loopback" && isLocalhost(host)) return null;
      if ((granted || []).some((rule) => net.allows(rule, value)) || more.includes(value)) return null;
      const grant = formatFlag("allow", "net", value);
      const remedy = `: run again with ${grant}`;
      return new PermissionDeniedError(need + remedy, { permission: "net", value, grant, remedy });
    },
    with: (value) => makePolicy(permissions, [...more, value].sort()),
  };
}

/** `localhost` and all names below it mean this machine (RFC 6761, 6.3). */
export function isLocalhost(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

/** What they mean, in IPv4 and IPv6. */
export const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];

/** Whether a host (IPv6 without brackets) means this machine, whatever a name server says. */
export function isThisMachine(host: string): boolean {
  const address = parseAddress(host);
  return address ? classifyAddress(address) === "loopback" : isLocalhost(host);
}

/** An address is denied under each of the forms in which it leads to the same machine. */
function denyingRule(
  denied: boolean | readonly string[],
  address: Address,
  value: string,
  port: number,
): string | null {
  if (typeof denied === "boolean") return denied ? "true" : null;
  const inner = embeddedAddresses(address).map(
    ({ value: bits }) => `${[24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".")}:${port}`,
  );
  // Systems connect 0.0.0.0 and :: to this machine.
  const own = address.value === 0n ? [`127.0.0.1:${port}`, `[::1]:${port}`] : [];
  return denied.find((rule) => [value, ...inner, ...own].some((each) => net.denies(rule, each))) ?? null;
}

function unreadable(host: string, port: number): PermissionDeniedError {
  return new PermissionDeniedError(`Requires net access to an address of ${host} that cannot be read`, {
    permission: "net",
    value: `${host}:${port}`,
    grant: "",
  });
}

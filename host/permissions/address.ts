/** IP addresses as numbers, and networks in CIDR notation. */

/** An address: its bits as a number, and how many there are. IPv4 inside IPv6 (::ffff:a.b.c.d) is IPv4. */
export interface Address {
  value: bigint;
  bits: 32 | 128;
}

/**
 * Reads an address in its standard form: `192.0.2.1`, `2001:db8::1`.
 * @returns null for anything else: names, decimal, hexadecimal and octal notations, zones.
 */
export function parseAddress(text: string): Address | null {
  const four = parseFour(text);
  if (four !== null) return { value: four, bits: 32 };
  const six = parseSix(text);
  if (six === null) return null;
  return six >> 32n === 0xffffn ? { value: six & 0xffffffffn, bits: 32 } : { value: six, bits: 128 };
}

function parseFour(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseSix(text: string): bigint | null {
  const halves = text.split("::");
  if (halves.length > 2 || !/^[0-9a-f:.]+$/i.test(text)) return null;
  const read = (half: string | undefined): bigint[] | null => {
    if (half === undefined || half === "") return [];
    const words: bigint[] = [];
    const parts = half.split(":");
    for (const [index, part] of parts.entries()) {
      const four = index === parts.length - 1 ? parseFour(part) : null;
      if (four !== null) words.push(four >> 16n, four & 0xffffn);
      else if (/^[0-9a-f]{1,4}$/i.test(part)) words.push(BigInt(`0x${part}`));
      else return null;
    }
    return words;
  };
  const head = read(halves[0]);
  const tail = read(halves[1]);
  if (!head || !tail) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce(
    (value, word) => (value << 16n) | word,
    0n,
  );
}

/** A network: all addresses that share the first `prefix` bits of `address`. */
export interface Network {
  address: Address;
  prefix: number;
}

/** Whether an address lies in a network. */
export function contains(network: Network, address: Address): boolean {
  if (network.address.bits !== address.bits) return false;
  const shift = BigInt(address.bits - network.prefix);
  return address.value >> shift === network.address.value >> shift;
}

/** Whether bits beyond the prefix are set, which makes a network ambiguous to its reader. */
export function hasHostBits({ address, prefix }: Network): boolean {
  return (address.value & ((1n << BigInt(address.bits - prefix)) - 1n)) !== 0n;
}

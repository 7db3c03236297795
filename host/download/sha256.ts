/** SHA-256 of what comes in parts, for platforms that only hash what is in memory as a whole. Source: FIPS 180-4. */

const BLOCK_BYTES = 64;

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2), and of the square roots of the first 8 (5.3.3). */
const [K, H] = (() => {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const fraction = (x: number) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  return [
    Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
    Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
  ];
})();

const turn = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

export class Sha256 {
  readonly #state = H.slice();
  readonly #words = new Int32Array(64);
  readonly #block = new Uint8Array(BLOCK_BYTES);
  /** Bytes so far. */
  #length = 0;

  update(bytes: Uint8Array): void {
    let at = 0;
    const waiting = this.#length % BLOCK_BYTES;
    this.#length += bytes.length;
    if (waiting > 0) {
      at = Math.min(BLOCK_BYTES - waiting, bytes.length);
      this.#block.set(bytes.subarray(0, at), waiting);
      if (waiting + at < BLOCK_BYTES) return;
      this.#add(this.#block, 0);
    }
    for (; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES) this.#add(bytes, at);
    this.#block.set(bytes.subarray(at));
  }

  /** Hexadecimal. Nothing can be added after it. */
  digest(): string {
    const bits = this.#length * 8;
    const end = new Uint8Array(BLOCK_BYTES - ((this.#length + 8) % BLOCK_BYTES) + 8);
    end[0] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits % 2 ** 32);
    this.update(end);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** 6.2.2 */
  #add(bytes: Uint8Array, at: number): void {
    const w = this.#words;
    for (let i = 0, p = at; i < 16; i++, p += 4) {
      w[i] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
    }
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
      const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
      w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
    }
    const state = this.#state;
    let [a, b, c, d, e, f, g, h] = state as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const result = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < 8; i++) state[i] = (state[i]! + result[i]!) | 0;
  }
}

/** SHA-256 of all parts, hexadecimal. */
export async function sha256OfParts(
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<string> {
  const hash = new Sha256();
  for await (const part of parts) hash.update(part);
  return hash.digest();
}

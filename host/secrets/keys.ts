/** The keys of the secrets of a machine or of a page's origin. */

export interface SecretKeys {
  /** AES-GCM, 256 bits: what is kept. */
  readonly encryption: CryptoKey;
  /** HMAC-SHA-256: what UDFs get in place of values. */
  readonly placeholders: CryptoKey;
}

/** Where keys come from. Each fails with SecretError `key`. */
export interface KeySource {
  /** @throws also where there is no key yet */
  open(): Promise<SecretKeys>;
  /** Makes keys where there are none yet. */
  make(): Promise<SecretKeys>;
}

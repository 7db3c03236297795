/** Where bodies lie that are too large for a record, and what shows that an entry is whole. */

export interface Blobs {
  /**
   * Keeps a body under a new name.
   * @throws StoreError `full` or `io`; then nothing is kept
   */
  write(body: Uint8Array): Promise<string>;
  /** Undefined where it is gone, or has another size. @throws StoreError `io` */
  read(name: string, size: number): Promise<Uint8Array | undefined>;
  /** Never throws: what stays is found by `list` later. */
  remove(name: string): Promise<void>;
  /** Names of all that lies there, also of what is no body: half-written ones, a stranger's files. */
  list(): Promise<string[]>;
  /** How long ago one of these was written. Undefined where it is gone. */
  ageMs(name: string): Promise<number | undefined>;
  /** A text that depends on all of the identity and the body. */
  seal(identity: string, body: Uint8Array): Promise<string>;
  verify(identity: string, body: Uint8Array, seal: string): Promise<boolean>;
}

/** What `write` names bodies, and nothing else. */
export const isBlobName = (name: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(name);

/** SHA-256 in hexadecimal. */
export async function sha256(data: Uint8Array | string): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

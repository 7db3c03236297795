/** Signatures with a secret that the UDF does not see: HMAC, and the last step of Signature Version 4. */
import { showText } from "../../runtime/show.ts";
import { SecretError } from "./errors.ts";

/** Hashes by the name that is asked for. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  "HMAC-SHA-1": "SHA-1",
  "HMAC-SHA-256": "SHA-256",
  "HMAC-SHA-384": "SHA-384",
  "HMAC-SHA-512": "SHA-512",
  "AWS4-HMAC-SHA256": "SHA-256",
};

/** What is signed at most; a larger body is signed by its hash. */
const MOST_BYTES = 1024 * 1024;

/** `20260131/us-east-1/s3/aws4_request` */
const SCOPE = /^\d{8}\/[a-z0-9-]{1,64}\/[a-z0-9-]{1,64}\/aws4_request$/;

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** How something is signed. */
export interface Signing {
  algorithm: string;
  /** For `AWS4-HMAC-SHA256`: the credential scope, from which the signing key is made. */
  scope: string | null;
  /** What the secret is: text, or bytes that are written as base64. */
  key: "text" | "base64";
}

/** @throws SecretError `value` that names the field */
export function checkSigning(value: unknown): Signing {
  const {
    algorithm,
    scope = null,
    key = "text",
  } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof algorithm !== "string" || !Object.hasOwn(ALGORITHMS, algorithm))
    throw wrong("algorithm", `one of ${Object.keys(ALGORITHMS).join(", ")}`, algorithm);
  const isAws = algorithm === "AWS4-HMAC-SHA256";
  if (isAws ? typeof scope !== "string" || !SCOPE.test(scope) : scope !== null)
    throw wrong(
      "scope",
      isAws ? "like 20260131/us-east-1/s3/aws4_request" : `left out for ${algorithm}`,
      scope,
    );
  if (key !== "text" && key !== "base64") throw wrong("key", '"text" or "base64"', key);
  return { algorithm, scope: scope as string | null, key };
}

/** @throws SecretError `value` */
export function checkData(data: unknown): Uint8Array {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  if (!(bytes instanceof Uint8Array)) throw wrong("data", "text or bytes", typeof data);
  if (bytes.length > MOST_BYTES)
    throw wrong("data", `at most ${MOST_BYTES} bytes; sign its hash`, `${bytes.length} bytes`);
  return bytes;
}

/**
 * Signs. With a scope, the key is made as "Create a signed AWS API request" in the IAM User Guide says.
 * @throws SecretError `value` where the secret is no base64 and has to be
 */
export async function sign(
  { name, value }: { name: string; value: string },
  data: Uint8Array,
  { algorithm, scope, key }: Signing,
): Promise<Uint8Array> {
  const hash = ALGORITHMS[algorithm] as string;
  if (key === "base64" && !BASE64.test(value))
    throw new SecretError("value", `Cannot sign with the secret ${name}: it is no base64`);
  const text = new TextEncoder();
  let secret =
    key === "base64"
      ? Uint8Array.from(atob(value.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))
      : text.encode(scope === null ? value : `AWS4${value}`);
  for (const part of scope?.split("/") ?? []) secret = await hmac(hash, secret, text.encode(part));
  return hmac(hash, secret, data as Uint8Array<ArrayBuffer>);
}

async function hmac(
  hash: string,
  key: Uint8Array<ArrayBuffer>,
  data: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

function wrong(field: string, rule: string, received: unknown): SecretError {
  const shown = typeof received === "string" ? showText(received, 100) : typeof received;
  return new SecretError("value", `Cannot sign with a secret: ${field} must be ${rule}: received ${shown}`);
}

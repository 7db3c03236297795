/**
 * Signature version 4, as AWS and Google Cloud Storage define it: a request in one canonical form, and a signature over its
 * hash. The two differ in names and in the key. Sources: "Authenticating Requests (AWS Signature Version 4)" in the S3 API
 * reference, and "V4 signing process" in the documentation of Cloud Storage.
 */
import { sha256 } from "../cache/blobs.ts";
import { encodeStrict } from "./location.ts";

/** What is signed. */
export interface Signable {
  method: string;
  /** Encoded (`encodePath`), from its first slash on. */
  path: string;
  /** Names and values, not encoded. */
  query: readonly (readonly [name: string, value: string])[];
  /** All of them are signed; names in lower case, `host` among them. */
  headers: Readonly<Record<string, string>>;
}

/** Who signs, and how. */
export interface Signer {
  algorithm: "AWS4-HMAC-SHA256" | "GOOG4-RSA-SHA256";
  /** Before the names of its headers and parameters. */
  prefix: "X-Amz-" | "X-Goog-";
  /** An access key's ID, or an account's e-mail. */
  identity: string;
  /** What stands behind the day in the scope: `us-east-1/s3/aws4_request`. */
  scope: string;
  /** A temporary credential's token. */
  token: string | null;
  /** The signature of a text, hexadecimal. @param day `20260131` */
  sign(text: string, day: string): Promise<string>;
}

/** What stands in place of a hash where a body is not signed. */
const UNSIGNED = "UNSIGNED-PAYLOAD";

/**
 * The headers that a request is sent with: its own, and those that sign it.
 * @param payloadHash SHA-256 of its body, hexadecimal
 */
export async function signHeaders(
  request: Signable,
  signer: Signer,
  payloadHash: string,
  now: Date,
): Promise<Record<string, string>> {
  const { date, day, scope } = when(signer, now);
  const headers: Record<string, string> = {
    ...request.headers,
    "x-amz-content-sha256": payloadHash,
    "x-amz-date": date,
  };
  if (signer.token !== null) headers["x-amz-security-token"] = signer.token;
  const { text, signedHeaders } = canonicalRequest({ ...request, headers }, payloadHash);
  const signature = await signer.sign(await textToSign(signer, date, scope, text), day);
  headers.authorization = `${signer.algorithm} Credential=${signer.identity}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return headers;
}

/**
 * The query of a URL that anybody can request until it expires, without the question mark.
 * @param expiresSeconds at most 7 days
 */
export async function signQuery(
  request: Signable,
  signer: Signer,
  expiresSeconds: number,
  now: Date,
): Promise<string> {
  const { date, day, scope } = when(signer, now);
  const { prefix } = signer;
  const query: [string, string][] = [
    ...request.query.map(([name, value]): [string, string] => [name, value]),
    [`${prefix}Algorithm`, signer.algorithm],
    [`${prefix}Credential`, `${signer.identity}/${scope}`],
    [`${prefix}Date`, date],
    [`${prefix}Expires`, String(expiresSeconds)],
    [`${prefix}SignedHeaders`, Object.keys(request.headers).sort().join(";")],
  ];
  if (signer.token !== null) query.push([`${prefix}Security-Token`, signer.token]);
  const { text } = canonicalRequest({ ...request, query }, UNSIGNED);
  const signature = await signer.sign(await textToSign(signer, date, scope, text), day);
  return `${encodeQuery(query)}&${prefix}Signature=${signature}`;
}

/** Sorted and encoded as it is signed: `a=1&b=%2F`. */
export function encodeQuery(query: Signable["query"]): string {
  return query
    .map(([name, value]) => [encodeStrict(name), encodeStrict(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** The signer of an AWS access key, for S3. */
export function awsSigner(
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  region: string,
): Signer {
  return {
    algorithm: "AWS4-HMAC-SHA256",
    prefix: "X-Amz-",
    identity: accessKeyId,
    scope: `${region}/s3/aws4_request`,
    token: sessionToken ?? null,
    async sign(text, day) {
      let key: Uint8Array = encode(`AWS4${secretAccessKey}`);
      for (const part of [day, region, "s3", "aws4_request"]) key = await hmac(key, part);
      return hex(await hmac(key, text));
    },
  };
}

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** For temporary credentials. */
  sessionToken?: string;
}

/** Bytes in hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const encode = (text: string) => new TextEncoder().encode(text);

async function hmac(key: Uint8Array, text: string): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key as Uint8Array<ArrayBuffer>, algorithm, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encode(text)));
}

function when({ scope }: Signer, now: Date): { date: string; day: string; scope: string } {
  const date = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const day = date.slice(0, 8);
  return { date, day, scope: `${day}/${scope}` };
}

function canonicalRequest({ method, path, query, headers }: Signable, payloadHash: string) {
  const names = Object.keys(headers).sort();
  const signedHeaders = names.join(";");
  const lines = names.map((name) => `${name}:${(headers[name] as string).trim().replace(/\s+/g, " ")}\n`);
  const text = [method, path, encodeQuery(query), lines.join(""), signedHeaders, payloadHash].join("\n");
  return { text, signedHeaders };
}

async function textToSign({ algorithm }: Signer, date: string, scope: string, request: string) {
  return [algorithm, date, scope, await sha256(request)].join("\n");
}

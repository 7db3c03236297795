/** A Google service account: its key signs URLs, and asks for the tokens with which requests are sent. */
import { UsageError } from "../../runtime/errors.ts";
import { once } from "../../runtime/once.ts";
import { StorageError } from "./errors.ts";
import { NEVER, readText, type Send, sendRepeatedly } from "./send.ts";
import { hex } from "./signature.ts";

export interface ServiceAccount {
  email: string;
  /** An access token, of which at least a minute is left. @throws StorageError "access", "network" */
  token(): Promise<string>;
  /** RSA with SHA-256 (PKCS #1 v1.5), hexadecimal. */
  sign(text: string): Promise<string>;
}

const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";
const TOKEN_SECONDS = 3600;
/** A token is asked for anew before it has expired. */
const SPARE_MS = 60_000;
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/**
 * Reads the JSON file that Google Cloud gives out for a key.
 * @throws UsageError where it is none; nothing of it is shown
 */
export function readServiceAccount(json: string, send: Send): ServiceAccount {
  const { client_email: email, private_key: pem, private_key_id: id, token_uri: uri } = readJson(json);
  if (typeof email !== "string" || typeof pem !== "string" || typeof uri !== "string" || !URL.canParse(uri))
    throw new UsageError(
      "Cannot use the service account: its key file lacks client_email, private_key or token_uri",
    );
  // Where keys come as JSON, they are PKCS #8; the portable types know the format of secrets only.
  const key = once(() => crypto.subtle.importKey("pkcs8" as "raw", readPem(pem), RSA, false, ["sign"]));
  const sign = async (text: string) =>
    new Uint8Array(await crypto.subtle.sign(RSA.name, await key(), new TextEncoder().encode(text)));
  const assertion = async (now: number) => {
    const header = { alg: "RS256", typ: "JWT", ...(typeof id === "string" ? { kid: id } : {}) };
    const claims = { iss: email, scope: SCOPE, aud: uri, iat: now, exp: now + TOKEN_SECONDS };
    const parts = [header, claims].map((part) => base64Url(new TextEncoder().encode(JSON.stringify(part))));
    return `${parts.join(".")}.${base64Url(await sign(parts.join(".")))}`;
  };
  let fetching: Promise<Token> | undefined;
  let untilMs = 0;
  return {
    email,
    sign: async (text) => hex(await sign(text)),
    async token() {
      if (!fetching || untilMs - Date.now() < SPARE_MS) {
        // Who asks meanwhile waits for the same one.
        untilMs = Infinity;
        fetching = fetchToken(new URL(uri), send, assertion);
        fetching.then(
          (token) => (untilMs = token.untilMs),
          () => (untilMs = 0),
        );
      }
      return (await fetching).text;
    },
  };
}

interface Token {
  text: string;
  untilMs: number;
}

/** RFC 7523: a token for an assertion that the key has signed. */
async function fetchToken(url: URL, send: Send, assert: (now: number) => Promise<string>): Promise<Token> {
  const asked = Date.now();
  const assertion = await assert(Math.floor(asked / 1000));
  const body = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
  const answer = await sendRepeatedly(send, () => ({
    method: "POST",
    origin: url.origin,
    path: url.pathname + url.search,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new TextEncoder().encode(body.toString()),
    signal: NEVER,
  }));
  const text = await readText(answer);
  try {
    if (answer.status === 200) {
      const { access_token: token, expires_in: seconds } = JSON.parse(text) as Record<string, unknown>;
      if (typeof token === "string" && /^[\x21-\x7e]+$/.test(token))
        return {
          text: token,
          untilMs: asked + (typeof seconds === "number" ? seconds : TOKEN_SECONDS) * 1000,
        };
    }
  } catch {
    // Told below.
  }
  throw new StorageError(
    "access",
    `Google gives the host's service account no token (status ${answer.status})`,
  );
}

function readJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below: what JSON.parse says shows a part of the text.
  }
  throw new UsageError("Cannot use the service account: its key file must be a JSON object");
}

function readPem(pem: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(pem.replace(/-----[A-Z ]+-----|\s/g, "")), (character) =>
      character.charCodeAt(0),
    );
  } catch {
    throw new UsageError("Cannot use the service account: its private_key is not PEM");
  }
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/**
 * Session tokens: somebody of a team lets others use the team's collection for a while. One is `1:SECONDS SINCE 1970:SIGNATURE`, where
 * the published client reads its end; it is signed for one share token, so that it ends with that, and kept nowhere.
 */
import { bytesToHex, hexToBytes, randomBytes } from "@noble/hashes/utils.js";
import { once } from "../../runtime/once.ts";
import { SecretError } from "../secrets/errors.ts";
import type { Vault } from "../secrets/vault.ts";

export interface Session {
  token: string;
  expires: Date;
}

export interface Sessions {
  make(shareToken: string, seconds: number): Promise<Session>;
  /** Whether a session token is for this share token and has not ended. */
  check(shareToken: string, session: string): Promise<boolean>;
}

/** Of the vault, and nobody's: a user's is an id without slashes. */
const PRINCIPAL = "server/keys";
const NAME = "session-tokens";
const FORM = /^1:(\d{1,12}):([0-9a-f]{64})$/;

export function openSessions(vault: Vault): Sessions {
  const key = once(() => openKey(vault));
  return {
    async make(shareToken, seconds) {
      const end = Math.floor(Date.now() / 1000) + seconds;
      const signature = await crypto.subtle.sign("HMAC", await key(), signed(shareToken, end));
      return { token: `1:${end}:${bytesToHex(new Uint8Array(signature))}`, expires: new Date(end * 1000) };
    },
    async check(shareToken, session) {
      const [, end, signature] = FORM.exec(session) ?? [];
      if (end === undefined || signature === undefined || Number(end) * 1000 <= Date.now()) return false;
      return crypto.subtle.verify(
        "HMAC",
        await key(),
        hexToBytes(signature),
        signed(shareToken, Number(end)),
      );
    },
  };
}

const signed = (shareToken: string, end: number) =>
  new TextEncoder().encode(JSON.stringify(["fuselet session", 1, shareToken, end]));

/** Made when it is first wanted. */
async function openKey(vault: Vault): Promise<CryptoKey> {
  const text = (await read(vault)) ?? bytesToHex(randomBytes(32));
  await vault.write(PRINCIPAL, NAME, text);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", hexToBytes(text), algorithm, false, ["sign", "verify"]);
}

/** One that was kept under another key is of no use: the sessions that it signed end. */
async function read(vault: Vault): Promise<string | undefined> {
  try {
    return await vault.read(PRINCIPAL, NAME);
  } catch (error) {
    if (error instanceof SecretError && error.code === "damaged") return undefined;
    throw error;
  }
}

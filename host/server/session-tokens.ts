/**
 * Session tokens: somebody of a team lets others use the team's collection for a while. One is `USER:SECONDS SINCE 1970:SIGNATURE`, where
 * the published client reads its end; it is signed for one share token, so that it ends with that, and kept nowhere. Who has made it is in
 * it, so that it ends with what that user may do.
 */
import { bytesToHex, hexToBytes, randomBytes } from "@noble/hashes/utils.js";
import { SecretError } from "../secrets/errors.ts";
import type { Vault } from "../secrets/vault.ts";
import { openSigner } from "./signer.ts";

export interface Session {
  token: string;
  expires: Date;
}

export interface Sessions {
  make(userId: string, shareToken: string, seconds: number): Promise<Session>;
  /** The id of who has made a session token; undefined: it is not for this share token, or has ended. */
  makerOf(shareToken: string, session: string): Promise<string | undefined>;
}

/** Of the vault, and nobody's: a user's is an id without slashes. */
const PRINCIPAL = "server/keys";
const NAME = "session-tokens";
const FORM = /^([\w-]{1,64}):(\d{1,12}):([0-9a-f]{64})$/;

export function openSessions(vault: Vault): Sessions {
  const signer = openSigner(() => keyIn(vault));
  const signed = (...parts: [userId: string, shareToken: string, end: number]) => [
    "fuselet session",
    2,
    ...parts,
  ];
  return {
    async make(userId, shareToken, seconds) {
      const end = Math.floor(Date.now() / 1000) + seconds;
      const signature = await signer.sign(signed(userId, shareToken, end));
      return { token: `${userId}:${end}:${signature}`, expires: new Date(end * 1000) };
    },
    async makerOf(shareToken, session) {
      const [, userId = "", end = "0", signature = ""] = FORM.exec(session) ?? [];
      if (Number(end) * 1000 <= Date.now()) return undefined;
      const isOurs = await signer.verify(signed(userId, shareToken, Number(end)), signature);
      return isOurs ? userId : undefined;
    },
  };
}

/** Made when it is first wanted. */
async function keyIn(vault: Vault): Promise<Uint8Array> {
  const text = (await read(vault)) ?? bytesToHex(randomBytes(32));
  await vault.write(PRINCIPAL, NAME, text);
  return hexToBytes(text);
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

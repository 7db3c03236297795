/**
 * The secrets of one run: what stands for which value, where that may go, and what was seen of it.
 *
 * A placeholder is replaced just before a request leaves, in the values of headers and of the query, for hosts of its grant, over
 * https or to this machine. It is bound to principal, UDF and name, so that it is the same in each run (and a good part of a cache
 * key); it means something only in a run that has asked for it itself. What was seen is noted once for a run and all below it.
 */

import { isThisMachine } from "../net/address-policy.ts";
import type { NetCall } from "../net/guard.ts";
import { authorityOf, type Header, NOT_IN_VALUE } from "../net/request.ts";
import type { Head, Hop } from "../net/transport.ts";
import { RULES } from "../permissions/descriptor.ts";
import { SecretError } from "./errors.ts";
import { asCharacters, type Hidden, Redaction } from "./redaction.ts";

/** A secret that stands behind a placeholder. */
export interface HiddenSecret {
  name: string;
  value: string;
  /** Rules as in `net`; true is every host that `net` grants. */
  hosts: true | readonly string[];
}

/** Letters and digits only: no encoding of a URL, a header or a form changes them. */
const PREFIX = "fuseletsecret";
const DIGITS = 40;
const PLACEHOLDER = new RegExp(`${PREFIX}[0-9a-f]{${DIGITS}}`, "g");

/** @param digest hexadecimal, of what the placeholder is bound to */
export const placeholderOf = (digest: string): string => PREFIX + digest.slice(0, DIGITS);

export class RunSecrets {
  readonly #hidden = new Map<string, HiddenSecret>();
  readonly #seen: Hidden[] = [];
  readonly #sent: Hidden[] = [];
  #revealed: Redaction | undefined;
  #echoes: Redaction | undefined;

  /** Takes the values that were seen out of what is shown. */
  get revealed(): Redaction | undefined {
    return this.#revealed;
  }

  hide(placeholder: string, secret: HiddenSecret): void {
    this.#hidden.set(placeholder, secret);
  }

  reveal(name: string, value: string): void {
    if (this.#seen.some((seen) => seen.value === value)) return;
    this.#seen.push({ value, shown: `[secret ${name}]` });
    this.#revealed = new Redaction(this.#seen);
  }

  /**
   * Puts values in place of placeholders.
   * @returns the request itself where there is nothing to replace
   * @throws PermissionDeniedError for a host that the secret is not granted for; SecretError `send`
   */
  async fill(hop: Hop, call: NetCall): Promise<Hop> {
    const used = new Map<string, HiddenSecret>();
    const fill = (text: string, write: (secret: HiddenSecret) => string) =>
      text.replace(PLACEHOLDER, (placeholder) => {
        const secret = this.#hidden.get(placeholder);
        if (!secret) return placeholder;
        used.set(placeholder, secret);
        return write(secret);
      });
    const headers = hop.headers.map(([name, text]): Header => [name, fillHeader(name, text, fill)]);
    const query = hop.url.search.replace(
      /=([^&]*)/g,
      (_, text: string) => `=${fill(text, ({ value }) => encodeURIComponent(value))}`,
    );
    if (used.size === 0) return hop;
    for (const secret of used.values()) await checkTarget(secret, hop.url, call);
    for (const [shown, { value }] of used) this.#noteSent({ value, shown });
    const url = new URL(hop.url);
    url.search = query;
    return { ...hop, url, headers };
  }

  /** The placeholders that the run holds and that a URL has where they are replaced, each once. */
  heldIn(url: URL): string[] {
    const found = [...url.search.matchAll(/=([^&]*)/g)].flatMap(
      ([, text = ""]) => text.match(PLACEHOLDER) ?? [],
    );
    return [...new Set(found)].filter((placeholder) => this.#hidden.has(placeholder));
  }

  /** Headers without those that have a placeholder in them: for another origin than they were meant for. */
  without(headers: readonly Header[]): Header[] {
    const isOwn = (text: string) => {
      let found = false;
      fillHeader("", text, (part) => {
        found ||= part.match(PLACEHOLDER)?.some((placeholder) => this.#hidden.has(placeholder)) ?? false;
        return part;
      });
      return found;
    };
    return headers.filter(([, text]) => !isOwn(text));
  }

  /**
   * Takes values that the run has sent out of an answer, and puts the placeholders back: servers echo.
   * @param keepsLength where sizes and positions in the body must stay what they are: asterisks stand there then
   */
  redact(head: Head, { method }: Hop, keepsLength: boolean): Head {
    const echoes = this.#echoes;
    if (!echoes) return head;
    const isSized = keepsLength || method === "HEAD" || head.status === 206 || head.body.isDone;
    head.body.filter(echoes.stream({ keepsLength: isSized }));
    return {
      ...head,
      url: head.url && echoes.text(head.url),
      statusText: echoes.text(head.statusText),
      headers: head.headers
        .filter(([name]) => isSized || name !== "content-length")
        .map(([name, text]) => [name, echoes.text(text)]),
    };
  }

  #noteSent(sent: Hidden): void {
    if (this.#sent.some(({ value, shown }) => value === sent.value && shown === sent.shown)) return;
    this.#sent.push(sent);
    this.#echoes = new Redaction(this.#sent);
  }
}

type Fill = (text: string, write: (secret: HiddenSecret) => string) => string;

/** A header's value; user name and password of Basic authentication (RFC 7617) are looked into. */
function fillHeader(header: string, text: string, fill: Fill): string {
  const [, scheme, encoded] = /^(basic +)([a-z0-9+/]+={0,2})$/i.exec(text) ?? [];
  if (scheme !== undefined && encoded !== undefined) {
    const credentials = decodeBase64(encoded);
    const filled = fill(credentials, ({ value }) => asCharacters(new TextEncoder().encode(value)));
    return filled === credentials ? text : scheme + btoa(filled);
  }
  return fill(text, ({ name, value }) => {
    if (!NOT_IN_VALUE.test(value)) return value;
    throw new SecretError(
      "send",
      `Cannot send the secret ${name} in the header ${header}: it has a line break, or characters that are not Latin-1`,
    );
  });
}

/** Bytes as characters; empty where it is no base64. */
function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}

/** @throws PermissionDeniedError, SecretError `send` */
async function checkTarget({ name, hosts }: HiddenSecret, url: URL, call: NetCall): Promise<void> {
  if (url.protocol !== "https:" && !isThisMachine(url.hostname.replace(/^\[|\]$/g, ""))) {
    throw new SecretError(
      "send",
      `Cannot send the secret ${name} to ${url.protocol}//${url.host}: secrets are sent over https, or to this machine`,
    );
  }
  const authority = authorityOf(url);
  if (hosts === true || hosts.some((rule) => RULES.net.allows(rule, authority))) return;
  await call.require("secrets", `${name}@${authority}`);
}

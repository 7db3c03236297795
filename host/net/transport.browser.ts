/**
 * Requests from a page, by its own fetch. What a page cannot do stays undone: it reaches what lets it (CORS), it does not see
 * redirects, it sets no cookies, and it looks up no names, so that only addresses in URLs are checked.
 *
 * A proxy that you run has none of these limits. It takes part in this protocol:
 *
 *     the request     the method and the body; header `fuselet-target`: the URL; header `fuselet-headers`: a JSON list of
 *                     [name, value], to be sent on as they are
 *     the answer      status 200; header `fuselet-status`: the server's status, 200 to 599, redirects too (they are not to be
 *                     followed); header `fuselet-headers`: the server's, as above, those of undone codings left out; the body
 *
 * It looks names up, so it must keep private networks out; and it answers CORS requests of the page for these headers.
 */
import type { FuseletError } from "../../runtime/errors.ts";
import { parseAddress } from "../permissions/address.ts";
import { isLocalhost, LOOPBACK } from "./address-policy.ts";
import { Body } from "./body.ts";
import { NetError } from "./errors.ts";
import type { Header } from "./request.ts";
import type { Head, Hop, HopOptions, Sending, Transport } from "./transport.ts";

export interface BrowserTransportOptions {
  /** The URL of a proxy that all requests take. Default: none. */
  proxy?: string;
}

/** Opens the network for a runtime in a page. */
export function openTransport({ proxy }: BrowserTransportOptions = {}): Transport {
  const open = new Set<PageSending>();
  let isClosed = false;
  return {
    send(hop, options) {
      const sending = new PageSending(hop, options, proxy, () => open.delete(sending));
      open.add(sending);
      if (isClosed) sending.cancel(new NetError("closed", "The runtime is closed"));
      return sending;
    },
    async close() {
      isClosed = true;
      for (const sending of open) sending.cancel(new NetError("closed", "The runtime is closed"));
    },
  };
}

/** Set by browsers alone, so that a page cannot pretend: forbidden request-headers of the Fetch standard. */
const FORBIDDEN =
  /^(accept-charset|access-control-.*|cookie2?|date|dnt|origin|referer|sec-.*|set-cookie|via|x-http-method(-override)?|x-method-override)$/;

class PageSending implements Sending {
  readonly head: Promise<Head>;
  readonly #controller = new AbortController();
  readonly #onEnd: () => void;
  #error: FuseletError | undefined;
  #body: Body | undefined;

  constructor(hop: Hop, options: HopOptions, proxy: string | undefined, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.head = this.#begin(hop, options, proxy).catch((error: unknown) => {
      onEnd();
      throw this.#error ?? error;
    });
  }

  cancel(error: FuseletError): void {
    this.#error ??= error;
    this.#body?.cancel(error);
    this.#controller.abort();
  }

  async #begin(hop: Hop, options: HopOptions, proxy: string | undefined): Promise<Head> {
    checkAddress(hop.url, options);
    const response = await this.#fetch(hop, options, proxy);
    if (proxy === undefined && response.type === "opaqueredirect") {
      throw new NetError(
        "redirect",
        `${hop.url.host} redirects: a page does not see where to, so it cannot ask whether that is granted; request the last URL, or use a proxy`,
      );
    }
    const { status, headers } = proxy === undefined ? ownHead(response) : proxiedHead(response);
    const body = this.#stream(response, options.responseBytes);
    return {
      url: response.redirected && proxy === undefined ? response.url : undefined,
      status,
      statusText: proxy === undefined ? response.statusText : "",
      headers,
      body,
    };
  }

  async #fetch(
    { url, method, headers, body }: Hop,
    { mayFollow }: HopOptions,
    proxy: string | undefined,
  ): Promise<Response> {
    const sent = proxy === undefined ? ownHeaders(headers) : proxiedHeaders(url, headers);
    try {
      return await fetch(proxy ?? url, {
        method,
        headers: sent,
        body: body as Uint8Array<ArrayBuffer> | null,
        redirect: mayFollow && proxy === undefined ? "follow" : "manual",
        mode: "cors",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        cache: "no-store",
        signal: this.#controller.signal,
      });
    } catch (cause) {
      const via = proxy === undefined ? "" : " by the proxy";
      throw new NetError(
        "connect",
        `Cannot reach ${url.host}${via}: there is no connection, or it does not let this page read its answers; a page reaches only what allows it (CORS)`,
        { cause },
      );
    }
  }

  #stream(response: Response, responseBytes: number): Body {
    const reader = response.body?.getReader();
    let resume = () => {};
    const source = {
      resume: () => resume(),
      cancel: () => {
        this.#onEnd();
        this.#controller.abort();
      },
    };
    const body = new Body(source, responseBytes);
    this.#body = body;
    const pump = async () => {
      try {
        for (;;) {
          const { done, value } = (await reader?.read()) ?? { done: true };
          if (done || !value) break;
          const resumed = new Promise<void>((resolve) => {
            resume = resolve;
          });
          if (!body.push(value)) await resumed;
        }
        body.end();
      } catch (cause) {
        body.fail(new NetError("protocol", "The answer broke off", { cause }));
      }
      this.#onEnd();
    };
    void pump();
    return body;
  }
}

/** An address in the URL, or the name that means this machine, is all that a page can check. @throws PermissionDeniedError */
function checkAddress(url: URL, { policy }: HopOptions): void {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  // Which of the two the browser takes, it does not say: both must be allowed.
  const addresses = isLocalhost(host) ? LOOPBACK : parseAddress(host) ? [host] : [];
  for (const address of addresses) {
    const refusal = policy.refusal(host, address, port);
    if (refusal) throw refusal;
  }
}

/** @throws NetError of code "protocol" for a header that a page cannot set */
function ownHeaders(headers: readonly Header[]): [string, string][] {
  const sent: [string, string][] = [];
  for (const [name, value] of headers) {
    if (FORBIDDEN.test(name))
      throw new NetError(
        "protocol",
        `Cannot send the header ${name} from a page: browsers set it themselves`,
      );
    // The browser asks for what it can decode, and another name than its own would need the leave of each server.
    if (name !== "accept-encoding" && name !== "user-agent") sent.push([name, value]);
  }
  return sent;
}

function ownHead(response: Response): { status: number; headers: Header[] } {
  const headers = [...response.headers] as Header[];
  // Another origin's coding is not shown, and its length is that of the coded body.
  const mayBeDecoded = response.type === "cors" || response.headers.has("content-encoding");
  return {
    status: response.status,
    headers: mayBeDecoded
      ? headers.filter(([name]) => name !== "content-encoding" && name !== "content-length")
      : headers,
  };
}

function proxiedHeaders(url: URL, headers: readonly Header[]): [string, string][] {
  const list = JSON.stringify(headers).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return [
    ["fuselet-target", url.href],
    ["fuselet-headers", list],
  ];
}

/** @throws NetError of code "protocol" for an answer that is not in the proxy's protocol */
function proxiedHead(response: Response): { status: number; headers: Header[] } {
  const status = response.headers.get("fuselet-status") ?? "";
  let headers: unknown;
  try {
    headers = JSON.parse(response.headers.get("fuselet-headers") ?? "");
  } catch {
    headers = undefined;
  }
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((item) => typeof item === "string");
  if (!response.ok || !/^[2-5]\d\d$/.test(status) || !Array.isArray(headers) || !headers.every(isPair)) {
    throw new NetError(
      "protocol",
      `The proxy answered with status ${response.status} and not in its protocol (fuselet-status, fuselet-headers)`,
    );
  }
  return {
    status: Number(status),
    headers: (headers as Header[]).map(([name, value]) => [name.toLowerCase(), value]),
  };
}

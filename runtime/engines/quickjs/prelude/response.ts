/** `Response`. Source: the Fetch standard. */
import { addBody, Content, extract } from "./body.ts";
import { addMissing, cloneHeaders, Headers, makeHeaders } from "./headers.ts";
import { dictionary, encodeUtf8, exec, list, rangeError, textOf, toJson, typeError } from "./host.ts";
import { URL } from "./url.ts";

const STATUS_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

export const hasNoBody = (status: number): boolean =>
  status === 101 || status === 103 || status === 204 || status === 205 || status === 304;

/** What a response says beside its body. */
export interface Answer {
  readonly type: "default" | "basic" | "error";
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: Headers;
}

/** A response that no script has made. */
export let makeResponse: (answer: Answer, content: Content) => Response;

export class Response {
  #answer: Answer;
  #content: Content;

  static {
    makeResponse = (answer, content) => {
      const response = new Response();
      response.#answer = answer;
      response.#content = content;
      return response;
    };
    addBody(
      Response.prototype,
      (response: Response) => response.#content,
      (response: Response) => response.#answer.headers,
    );
  }

  constructor(body: unknown = null, init: unknown = {}) {
    const { headers, status = 200, statusText = "" } = dictionary(init, "The options of a Response");
    const code = (status as number) & 0xffff;
    if (!(code >= 200 && code <= 599))
      throw rangeError(`Cannot make a Response: status must be 200 to 599: received ${status}`);
    if (!exec(STATUS_TEXT, textOf(statusText)))
      throw typeError(`Cannot make a Response: bad status text ${toJson(textOf(statusText))}`);
    this.#answer = {
      type: "default",
      status: code,
      statusText: textOf(statusText),
      url: "",
      redirected: false,
      headers: new Headers(headers),
    };
    if (body === null) this.#content = new Content(null);
    else {
      if (hasNoBody(code)) throw typeError(`Cannot make a Response: status ${code} has no body`);
      const { content, type } = extract(body);
      this.#content = content;
      if (type !== null) addMissing(this.#answer.headers, "content-type", type);
    }
  }
  static error(): Response {
    return makeResponse(
      {
        type: "error",
        status: 0,
        statusText: "",
        url: "",
        redirected: false,
        headers: makeHeaders(list(), true),
      },
      new Content(null),
    );
  }
  static json(data: unknown, init: unknown = {}): Response {
    const text = toJson(data);
    if (text === undefined) throw typeError("Cannot make a Response: the data cannot be written as JSON");
    const response = new Response(encodeUtf8(text), init);
    addMissing(response.#answer.headers, "content-type", "application/json");
    return response;
  }
  static redirect(url: unknown, status: unknown = 302): Response {
    const { href } = new URL(url);
    const code = (status as number) & 0xffff;
    if (!(code === 301 || code === 302 || code === 303 || code === 307 || code === 308))
      throw rangeError(
        `Cannot make a redirect: status must be 301, 302, 303, 307 or 308: received ${status}`,
      );
    const headers = list<{ name: string; value: string }>();
    headers[0] = { name: "location", value: href };
    return makeResponse(
      {
        type: "default",
        status: code,
        statusText: "",
        url: "",
        redirected: false,
        headers: makeHeaders(headers, true),
      },
      new Content(null),
    );
  }
  get type(): string {
    return this.#answer.type;
  }
  get url(): string {
    return this.#answer.url;
  }
  get redirected(): boolean {
    return this.#answer.redirected;
  }
  get status(): number {
    return this.#answer.status;
  }
  get ok(): boolean {
    return this.#answer.status >= 200 && this.#answer.status <= 299;
  }
  get statusText(): string {
    return this.#answer.statusText;
  }
  get headers(): Headers {
    return this.#answer.headers;
  }
  clone(): Response {
    this.#content.check();
    const { headers } = this.#answer;
    return makeResponse({ ...this.#answer, headers: cloneHeaders(headers) }, this.#content.clone());
  }
}

/** Requests to Google Cloud Storage: how they are authorised, and what its errors mean. */
import { StorageError, type StorageErrorCode } from "./errors.ts";
import { encodePath, encodeStrict, type Location, locationUrl } from "./location.ts";
import { giveUp, type Send, type ServiceAnswer, sendRepeatedly } from "./send.ts";
import type { ServiceAccount } from "./service-account.ts";
import { encodeQuery, signQuery } from "./signature.ts";

export interface GsRequest {
  query?: readonly (readonly [string, string])[];
  headers?: Record<string, string>;
  body?: Uint8Array;
  signal: AbortSignal;
}

export class GsService {
  readonly account: ServiceAccount;
  readonly origin: string;
  readonly #send: Send;

  constructor(send: Send, account: ServiceAccount, origin: string) {
    this.#send = send;
    this.account = account;
    this.origin = origin;
  }

  /** @param path encoded @throws StorageError of code "network" or "access" */
  request(
    method: string,
    path: string,
    { query = [], headers = {}, body, signal }: GsRequest,
  ): Promise<ServiceAnswer> {
    const whole = query.length === 0 ? path : `${path}?${encodeQuery(query)}`;
    return sendRepeatedly(this.#send, async () => ({
      method,
      origin: this.origin,
      path: whole,
      headers: { ...headers, authorization: `Bearer ${await this.account.token()}` },
      body: body ?? null,
      signal,
    }));
  }

  async presign({ authority, path: key }: Location, method: string, expiresSeconds: number): Promise<string> {
    const { email, sign } = this.account;
    const path = `/${authority}/${encodePath(key)}`;
    const query = await signQuery(
      { method, path, query: [], headers: { host: new URL(this.origin).host } },
      {
        algorithm: "GOOG4-RSA-SHA256",
        prefix: "X-Goog-",
        identity: email,
        scope: "auto/storage/goog4_request",
        token: null,
        sign,
      },
      expiresSeconds,
      new Date(),
    );
    return `${this.origin}${path}?${query}`;
  }
}

export const objectsPath = ({ authority }: Location) => `/storage/v1/b/${authority}/o`;
/** Slashes in a name are encoded here. */
export const objectPath = (location: Location, key = location.path) =>
  `${objectsPath(location)}/${encodeStrict(key)}`;

/** What an error means; its text is not shown, for it may name the host's account. */
export async function failure(
  answer: ServiceAnswer,
  what: string,
  location: Location,
): Promise<StorageError> {
  await giveUp(answer.body);
  const meanings: Record<number, [StorageErrorCode, string]> = {
    401: ["access", "the service refuses the host's account"],
    403: ["access", "the service refuses it to the host"],
    404: ["not found", "it is not there"],
    412: ["exists", "it is there already"],
    413: ["full", "it is too large"],
  };
  const [code, why] = meanings[answer.status] ?? ["network", "the service failed"];
  return new StorageError(code, `Cannot ${what} ${locationUrl(location)}: ${why} (status ${answer.status})`);
}

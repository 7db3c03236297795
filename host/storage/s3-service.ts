/** Requests to S3: where they go, how they are signed, and what its errors mean. */
import { sha256 } from "../cache/blobs.ts";
import { StorageError, type StorageErrorCode } from "./errors.ts";
import { encodePath, type Location, locationUrl } from "./location.ts";
import {
  giveUp,
  readText,
  type Send,
  type ServiceAnswer,
  type ServiceRequest,
  sendRepeatedly,
} from "./send.ts";
import { type AwsCredentials, awsSigner, encodeQuery, signHeaders, signQuery } from "./signature.ts";
import { textOf } from "./xml.ts";

export interface S3Options {
  send: Send;
  /**
   * The host's own, or what gives them: it is asked before each request. A UDF never sees them. Null: requests are not signed,
   * for public buckets.
   */
  credentials: AwsCredentials | (() => Promise<AwsCredentials>) | null;
  /** Where buckets are; another one is found out. Default: us-east-1. */
  region?: string;
  /** Another service than Amazon's: `http://127.0.0.1:9000`. */
  endpoint?: string;
  /** Whether a bucket stands in the path and not in the host's name. Default: true with an endpoint. */
  pathStyle?: boolean;
}

const MOST_REGIONS = 1000;

export interface S3Request {
  location: Location;
  /** Default: the place's own key; null is the bucket. */
  key?: string | null;
  query?: readonly (readonly [string, string])[];
  headers?: Record<string, string>;
  body?: Uint8Array;
  signal: AbortSignal;
}

/** Signs and sends. */
export class S3Service {
  readonly #options: S3Options;
  readonly #endpoint: URL | null;
  readonly #region: string;
  /** Buckets that are elsewhere. */
  readonly #regions = new Map<string, string>();

  constructor(options: S3Options) {
    this.#options = options;
    this.#region = options.region ?? "us-east-1";
    this.#endpoint = options.endpoint === undefined ? null : readEndpoint(options.endpoint);
  }

  /**
   * Sends a request, to another region where the bucket is there.
   * @throws StorageError of code "network"
   */
  async request(method: string, asking: S3Request): Promise<ServiceAnswer> {
    const { authority: bucket } = asking.location;
    const answer = await sendRepeatedly(this.#options.send, () => this.#sign(method, asking));
    const region = answer.header("x-amz-bucket-region");
    const isElsewhere = [301, 307, 400].includes(answer.status) && region !== null;
    if (!isElsewhere || region === this.#regionOf(bucket) || !/^[a-z0-9-]{1,32}$/.test(region)) return answer;
    await giveUp(answer.body);
    if (this.#regions.size >= MOST_REGIONS) this.#regions.clear();
    this.#regions.set(bucket, region);
    return sendRepeatedly(this.#options.send, () => this.#sign(method, asking));
  }

  async presign(location: Location, method: string, expiresSeconds: number): Promise<string> {
    const credentials = await this.#credentials();
    if (credentials === null)
      throw new StorageError(
        "config",
        `Cannot sign ${locationUrl(location)}: the host has no credentials for S3`,
      );
    const { origin, host, path } = this.#target(location.authority, location.path);
    const signer = awsSigner(credentials, this.#regionOf(location.authority));
    const query = await signQuery(
      { method, path, query: [], headers: { host } },
      signer,
      expiresSeconds,
      new Date(),
    );
    return `${origin}${path}?${query}`;
  }

  async #sign(
    method: string,
    { location, key, query = [], headers = {}, body, signal }: S3Request,
  ): Promise<ServiceRequest> {
    const { authority: bucket } = location;
    const { origin, host, path } = this.#target(bucket, key === undefined ? location.path : key);
    const credentials = await this.#credentials();
    const whole = query.length === 0 ? path : `${path}?${encodeQuery(query)}`;
    const rest = { method, origin, path: whole, body: body ?? null, signal };
    if (credentials === null) return { ...rest, headers };
    const request = { method, path, query, headers: { ...headers, host } };
    const hash = await sha256(body ?? "");
    const { host: _, ...signed } = await signHeaders(
      request,
      awsSigner(credentials, this.#regionOf(bucket)),
      hash,
      new Date(),
    );
    return { ...rest, headers: signed };
  }

  #target(bucket: string, key: string | null): { origin: string; host: string; path: string } {
    const { protocol, host } =
      this.#endpoint ?? new URL(`https://s3.${this.#regionOf(bucket)}.amazonaws.com`);
    // The certificate of a host that has the bucket in its name holds for one label more, not for two.
    const isInPath = this.#options.pathStyle ?? (this.#endpoint !== null || bucket.includes("."));
    const name = isInPath ? host : `${bucket}.${host}`;
    const path = `${isInPath ? `/${bucket}` : ""}/${key === null ? "" : encodePath(key)}`;
    return { origin: `${protocol}//${name}`, host: name, path };
  }

  #regionOf(bucket: string): string {
    return this.#regions.get(bucket) ?? this.#region;
  }

  async #credentials(): Promise<AwsCredentials | null> {
    const { credentials } = this.#options;
    if (typeof credentials !== "function") return credentials;
    try {
      return await credentials();
    } catch (cause) {
      throw new StorageError("config", "Cannot use S3: the host's credentials cannot be had", { cause });
    }
  }
}

function readEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (
    url &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === "/" &&
    url.search === "" &&
    url.username === ""
  )
    return url;
  throw new StorageError(
    "config",
    "Cannot use S3: its endpoint must be a URL of http or https without a path: received another one",
  );
}

export async function failure(
  answer: ServiceAnswer,
  what: string,
  location: Location,
): Promise<StorageError> {
  return refusal(answer.status, await readText(answer), what, location);
}

/** What an error means. Of its text only the code is shown: the rest may name the host's keys. */
export function refusal(status: number, xml: string, what: string, location: Location): StorageError {
  const named = textOf(xml, "Code");
  const shown = named !== null && /^[A-Za-z0-9]{1,64}$/.test(named) ? named : `status ${status}`;
  const meanings: Record<number, [StorageErrorCode, string]> = {
    403: ["access", "S3 refuses it to the host"],
    404: ["not found", named === "NoSuchBucket" ? "there is no such bucket" : "it is not there"],
    409: ["exists", "somebody else writes it"],
    412: ["exists", "it is there already"],
    507: ["full", "there is no room left"],
  };
  const [code, why] = meanings[status] ?? ["network", "S3 failed"];
  return new StorageError(code, `Cannot ${what} ${locationUrl(location)}: ${why} (${shown})`);
}

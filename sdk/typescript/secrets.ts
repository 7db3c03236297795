/** Secrets, as a TypeScript UDF uses them. */
import { door } from "./door.ts";

/** The secrets that the host keeps for this UDF's principal. A UDF uses them; `fuselet secrets set NAME` sets them. */
export const secrets = {
  /**
   * A secret. Where it was granted with `reveal` it is the value itself; else a text that stands for it: in a header's value, or in
   * the value of a query's parameter, of a request to a host that was granted for it, the host puts the value in its place.
   * @throws an Error named PermissionDeniedError for a secret that was not granted; SecretError where there is none of that name
   */
  get: async (name: string): Promise<string> => (await door.call("secrets.get", name)) as string,

  /**
   * Signs with a secret that the UDF does not see, such as the key of an API that wants an HMAC.
   * @param data text (as UTF-8) or bytes, at most 1 MiB
   * @param options `algorithm`: of HMAC, or `AWS4-HMAC-SHA256` for the signature of a "string to sign" with its `scope`
   *   (`20260131/us-east-1/s3/aws4_request`); `key`: whether the secret is text or bytes in base64. Default: HMAC-SHA-256, text
   * @returns the signature's bytes
   * @throws an Error named PermissionDeniedError for a secret that was not granted; SecretError
   */
  sign: async (
    name: string,
    data: string | Uint8Array,
    {
      algorithm = "HMAC-SHA-256",
      scope,
      key = "text",
    }: {
      algorithm?: "HMAC-SHA-1" | "HMAC-SHA-256" | "HMAC-SHA-384" | "HMAC-SHA-512" | "AWS4-HMAC-SHA256";
      scope?: string;
      key?: "text" | "base64";
    } = {},
  ): Promise<Uint8Array> =>
    (await door.call("secrets.sign", name, data, { algorithm, scope: scope ?? null, key })) as Uint8Array,

  /** The names of the secrets that this run may use. */
  list: async (): Promise<string[]> => (await door.call("secrets.list")) as string[],
};

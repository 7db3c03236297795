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

  /** The names of the secrets that this run may use. */
  list: async (): Promise<string[]> => (await door.call("secrets.list")) as string[],
};

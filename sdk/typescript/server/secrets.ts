/** Secrets that a server keeps for its user. */
import { isRecord } from "../../../runtime/record.ts";
import { inPath } from "./answers.ts";
import type { Connection } from "./connection.ts";

/** Makes the functions for secrets. */
export function secretFunctions(connection: Connection) {
  const path = async (name?: string) =>
    connection.realtime(name === undefined ? "secrets" : `secrets/${inPath(name)}`);
  return {
    /** The names of the secrets. @throws ServerError */
    async listSecrets(): Promise<string[]> {
      const found = await connection.json(await path());
      return Array.isArray(found) ? found.map(String) : isRecord(found) ? Object.keys(found) : [];
    },

    /** The value of a secret. @throws ServerError of status 404 where there is none of that name */
    getSecretValue: async (name: string): Promise<string> => String(await connection.json(await path(name))),

    /** Keeps a secret. */
    async setSecretValue(name: string, value: string): Promise<void> {
      await connection.json(await path(name), { method: "PUT", json: { value } });
    },

    /** Deletes a secret. */
    async deleteSecretValue(name: string): Promise<void> {
      await connection.json(await path(name), { method: "DELETE" });
    },
  };
}

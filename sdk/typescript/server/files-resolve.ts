/** The one function for files that is the server's inside an isolate, too. */
import type { Connection } from "./connection.ts";

/** Makes it. */
export function resolveFunctions(connection: Connection) {
  return {
    /** The full place, such as `s3://…`, of an `fd://` path. @throws ServerError */
    resolve: async (path: string): Promise<string> =>
      String(await connection.json("files/resolve", { method: "POST", query: { path } })),
  };
}

/** Who we are to a server, what it keeps for us, and its log of runs. */
import { UsageError } from "../../../runtime/errors.ts";
import { isRecord } from "../../../runtime/record.ts";
import { fromWire, inPath } from "./answers.ts";
import type { Ask, Connection } from "./connection.ts";

/** What a server knows of its user; other servers have more fields. */
export interface ServerUser {
  id: string;
  email: string;
  handle: string;
  name: string;
  executionEnvironmentId: string;
  [field: string]: unknown;
}

/** Which entries of the log of runs. One of `id`, `udfId`, `udfName` and `sharedToken` at most. */
export interface LogQuery {
  /** One entry. */
  id?: string;
  /** Those of a saved UDF. */
  udfId?: string;
  /** Those of UDFs of this name. */
  udfName?: string;
  /** Those of a shared token. */
  sharedToken?: string;
  /** Those of the team, else your own. */
  execEnv?: boolean;
  /** Only which UDFs ran: their names, or their ids. */
  distinct?: "names" | "ids";
  /** From when on, and until when: ISO texts. */
  startTimestamp?: string;
  endTimestamp?: string;
  /** How many entries. Default: 100 */
  limit?: number;
  /** The oldest first. Default: true */
  scanForward?: boolean;
  /** Where to go on, from the answer before. */
  pageToken?: string;
  /** How many entries to look through, with `distinct`. Default: 1,000 */
  maxRecordsToScan?: number;
}

/** Makes the functions for whoever is signed in. */
export function accountFunctions(connection: Connection) {
  return {
    /** What the server knows of you. @throws ServerError where it refuses, UsageError without one, as all of these do */
    whoami: async (): Promise<ServerUser> =>
      fromWire<ServerUser>(await connection.json("user/self"), "the user"),

    /** What the server knows of your team. */
    teamInfo: async (): Promise<Record<string, unknown>> =>
      fromWire<Record<string, unknown>>(await connection.json("execution-env/self"), "the team"),

    /** The token that requests carry. @throws UsageError where there is none */
    accessToken: async (): Promise<string> => {
      const { token } = connection.settings;
      if (token !== null) return token;
      throw new UsageError(
        "There is no access token: sign in (fuselet login), or give one (the option token)",
      );
    },

    /** The word before the token, such as Bearer. */
    authScheme: async (): Promise<string> => connection.settings.scheme,

    /** Forgets the token: from here on requests carry none. */
    logout: async (): Promise<void> => connection.forget(),

    /** The server's log of runs. @throws UsageError for more than one of what chooses entries */
    async log(query: LogQuery = {}): Promise<Record<string, unknown>> {
      const chosen = [
        ["by-id", query.id],
        ["by-udf-id", query.udfId],
        ["by-udf-name", query.udfName],
        ["by-shared-token", query.sharedToken],
      ].filter((pair): pair is [string, string] => pair[1] !== undefined);
      if (chosen.length > 1)
        throw new UsageError(
          "Cannot read the log: only one of id, udfId, udfName and sharedToken can be given",
        );
      const team = query.execEnv ? "exec-env/" : "";
      const [only] = chosen;
      const times = { start_timestamp: query.startTimestamp, end_timestamp: query.endTimestamp };
      const lists: Ask["query"] = {
        ...times,
        page_token: query.pageToken,
        limit: query.limit ?? 100,
        scan_forward: query.scanForward ?? true,
      };
      const [path, asked] = query.distinct
        ? [
            `distinct-udf-${query.distinct === "names" ? "names" : "id"}/${team}self`,
            { ...times, max_records_to_scan: query.maxRecordsToScan ?? 1000 },
          ]
        : [only ? `${only[0]}/${inPath(only[1])}` : `${team}self`, only?.[0] === "by-id" ? {} : lists];
      const found = await connection.json(`log/${path}`, { query: asked });
      return isRecord(found) ? found : { items: found };
    },
  };
}

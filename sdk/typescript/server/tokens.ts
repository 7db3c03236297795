/** Tokens that let whoever has them run a UDF. */
import { UsageError } from "../../../runtime/errors.ts";
import { fromWire, inPath, listFromWire } from "./answers.ts";
import type { Ask, Connection } from "./connection.ts";
import { isUdfId } from "./saved-udfs.ts";

/** A shared token. */
export interface UdfAccessToken {
  token: string;
  udfEmail: string | null;
  udfSlug: string | null;
  udfId: string | null;
  enabled: boolean;
  clientId: string | null;
  publicRead: boolean | null;
  accessScope: string | null;
  cache: boolean | null;
  metadataJson: Readonly<Record<string, unknown>> | null;
  lastUpdated: string;
}

/** What a token is to be; what is left out stays as it is. */
export interface TokenOptions {
  /** The realtime client that runs it; null: that of whoever asks. */
  clientId?: string | null;
  /** Whether anybody may read the code. */
  publicRead?: boolean;
  /** Who may use it: `public` (whoever has it) or `team`. Default: public */
  accessScope?: string;
  /** Whether results are kept. Default: true */
  cache?: boolean;
  /** Values of your own. */
  metadataJson?: Readonly<Record<string, unknown>>;
  /** Whether it works at all. Default: true */
  enabled?: boolean;
}

/** Makes the functions for shared tokens. @param emailOf says who we are */
export function tokenFunctions(connection: Connection, emailOf: () => Promise<string>) {
  const one = async (path: string, ask: Ask = {}) =>
    fromWire<UdfAccessToken>(await connection.json(path, ask), "a token");
  const at = (token: string | UdfAccessToken) =>
    `udf-access-token/by-token/${inPath(typeof token === "string" ? token : token.token)}`;
  const fields = ({ clientId, publicRead, accessScope, cache, metadataJson, enabled }: TokenOptions) => ({
    client_id: clientId,
    public_read: publicRead,
    access_scope: accessScope,
    cache,
    metadata_json: metadataJson,
    enabled,
  });

  return {
    /**
     * Makes a token that lets whoever has it run one UDF, in your name, with the parameters that they choose.
     * @param udf its id, its name, or `user/name` @throws ServerError
     */
    async createUdfAccessToken(udf: string, options: TokenOptions = {}): Promise<UdfAccessToken> {
      if (udf === "") throw new UsageError("Cannot make a token: name the UDF");
      const slash = udf.indexOf("/");
      const named = isUdfId(udf)
        ? { udf_id: udf, udf_email: null, udf_slug: null }
        : {
            udf_id: null,
            udf_email: slash < 0 ? await emailOf() : udf.slice(0, slash),
            udf_slug: udf.slice(slash + 1),
          };
      const clientId = options.clientId === undefined ? await connection.client() : options.clientId;
      const body = { cache: true, metadataJson: {}, enabled: true, ...options, clientId };
      return one("udf-access-token/new", { method: "POST", json: { ...named, ...fields(body) } });
    },

    /** Your tokens. */
    async getUdfAccessTokens({ n, skip }: { n?: number; skip?: number } = {}): Promise<UdfAccessToken[]> {
      return listFromWire<UdfAccessToken>(
        await connection.pages("udf-access-token/self", { n, skip }),
        "tokens",
      );
    },

    /** What is known of a token. */
    getUdfAccessToken: (token: string | UdfAccessToken): Promise<UdfAccessToken> => one(at(token)),

    /** Changes a token. */
    updateUdfAccessToken: (token: string | UdfAccessToken, options: TokenOptions): Promise<UdfAccessToken> =>
      one(at(token), { method: "POST", json: fields(options) }),

    /** Deletes a token: it runs nothing any more. @returns what it was */
    deleteUdfAccessToken: (token: string | UdfAccessToken): Promise<UdfAccessToken> =>
      one(at(token), { method: "DELETE" }),
  };
}

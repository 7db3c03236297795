/** Session tokens of shared collections, and the links to their UDFs. */
import { AGE_RULE, parseAge } from "../../../host/cache/age.ts";
import { UsageError } from "../../../runtime/errors.ts";
import { isRecord } from "../../../runtime/record.ts";
import { fromWire, inPath } from "./answers.ts";
import type { Connection } from "./connection.ts";

/** A token that lets its holder use a shared collection for a while. */
export interface SessionToken {
  sessionToken: string;
  /** An ISO text. */
  expiresAt: string;
}

/** The link that runs a UDF of a shared collection. */
export interface SharedUdfUrl {
  url: string;
  shareToken: string;
  udfName: string;
  sessionToken: string | null;
  sessionTokenExpiresAt: string | null;
  /** Whether it is the run's own. */
  sessionTokenReused: boolean;
}

/** How the run came about that asks; all null outside of one. */
export interface RunFacts {
  shareToken: string | null;
  sessionToken: string | null;
  udfName: string | null;
}

/** Makes the functions for shared collections. @param facts of the run that asks */
export function sessionFunctions(connection: Connection, facts: () => Promise<RunFacts>) {
  const create = async (token: string, age: string | number): Promise<SessionToken> => {
    if (!token.startsWith("fc_"))
      throw new UsageError("Session tokens are for the share tokens of collections only (fc_…)");
    const ms = parseAge(age);
    if (ms === undefined)
      throw new UsageError(`sessionMaxAge must be ${AGE_RULE}: received ${JSON.stringify(age)}`);
    const answer = await connection.json(`session-token/by-access-token/${inPath(token)}`, {
      method: "POST",
      json: { ttl: ms / 1000 },
    });
    return fromWire<SessionToken>(answer, "the session token");
  };

  return {
    /**
     * A token that lets its holder use a shared collection: the run's own, else a new one.
     * @param options `sessionMaxAge`: how long a new one lasts, like `"1h"`, or in seconds. Default: 1h; `collection`: the collection's share
     *   token (`fc_…`). Default: that with which this run was asked for
     * @throws UsageError where no collection is known, ServerError
     */
    async sessionToken({
      sessionMaxAge = "1h",
      collection,
    }: {
      sessionMaxAge?: string | number;
      collection?: string;
    } = {}): Promise<SessionToken> {
      if (collection !== undefined) return create(collection, sessionMaxAge);
      const { shareToken, sessionToken } = await facts();
      return inherited(sessionToken) ?? create(collectionOf(shareToken), sessionMaxAge);
    },

    /**
     * The link that runs a UDF of a shared collection.
     * @param udfName default: the UDF that is running
     * @param options as of `sessionToken`
     * @throws UsageError where no collection or no UDF is known, ServerError
     */
    async sharedUdfUrl(
      udfName?: string,
      { sessionMaxAge = "1h", collection }: { sessionMaxAge?: string | number; collection?: string } = {},
    ): Promise<SharedUdfUrl> {
      const run = await facts();
      const name = udfName ?? run.udfName;
      if (!name) throw new UsageError("Cannot make a link: outside of a UDF its name must be given");
      const shareToken = collection ?? collectionOf(run.shareToken);
      const own = inherited(run.sessionToken);
      const session = own ?? ((await isForTeam(shareToken)) ? await create(shareToken, sessionMaxAge) : null);
      const query = session ? `?fused_session_token=${inPath(session.sessionToken)}` : "";
      return {
        url: `${connection.settings.sharedBaseUrl}/${inPath(shareToken)}/${inPath(name)}/run${query}`,
        shareToken,
        udfName: name,
        sessionToken: session?.sessionToken ?? null,
        sessionTokenExpiresAt: session?.expiresAt ?? null,
        sessionTokenReused: own !== null,
      };
    },
  };

  /** Whether the token alone is not enough; true where nobody says. */
  async function isForTeam(shareToken: string): Promise<boolean> {
    const list = await connection.json("collection/self").catch(() => null);
    const found = (Array.isArray(list) ? list : []).find(
      (one) => isRecord(one) && one.share_token === shareToken,
    );
    return found?.access_scope !== "public";
  }
}

/** The share token of the collection behind a link: `fc_…`, and the UDF's name behind a slash or a dash. */
function collectionOf(shareToken: string | null): string {
  if (!shareToken?.startsWith("fc_"))
    throw new UsageError(
      "No shared collection is known: this run was not asked for by the link of one; give its share token (the option collection)",
    );
  const end = shareToken.includes("/") ? shareToken.lastIndexOf("/") : shareToken.lastIndexOf("-");
  return end > 0 ? shareToken.slice(0, end) : shareToken;
}

/** The session with which the run was asked for: `version:seconds since 1970:signature`. */
function inherited(token: string | null): SessionToken | null {
  if (!token) return null;
  const seconds = Number(token.split(":")[1]);
  return {
    sessionToken: token,
    expiresAt: new Date(seconds > 0 ? seconds * 1000 : Date.now()).toISOString(),
  };
}

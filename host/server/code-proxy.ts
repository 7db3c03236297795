/** Reads UDFs from GitHub for clients, within what the server and the user were granted. */
import { showText } from "../../runtime/show.ts";
import { createBroker, type Decision } from "../permissions/broker.ts";
import { GitHubBusyError, type ReadGitHub } from "../udfs/github-reader.ts";
import { HttpError, notFound } from "./errors.ts";
import type { ServerSettings, UdfRunner, User } from "./parts.ts";
import { bodyOf } from "./udf-body.ts";
import { grantedTo } from "./user-call.ts";

export interface CodeProxy {
  /**
   * @returns the UDF's name, and the text of its body
   * @throws HttpError 404 where there is nothing, 422 for an address or files that are no UDF's, 429 where GitHub says so;
   *   PermissionDeniedError where the server, or this user, may not reach GitHub
   */
  load(url: string, user: User, gone: AbortSignal): Promise<{ name: string; body: string }>;
}

export interface CodeProxyOptions {
  settings: Pick<ServerSettings, "permissions">;
  runner: Pick<UdfRunner, "inspect">;
  read: ReadGitHub;
  /** Called with each decision of whether a host may be reached. */
  onDecision?: ((decision: Decision) => void) | undefined;
}

export function openCodeProxy({ settings, runner, read, onDecision }: CodeProxyOptions): CodeProxy {
  const broker = createBroker({ permissions: settings.permissions, onDecision });
  return {
    async load(url, user, signal) {
      const permissions = grantedTo(settings, user);
      const caller = {
        principal: user.id,
        udf: { name: "code-proxy", hash: "" },
        runId: crypto.randomUUID(),
        permissions,
        signal,
      };
      try {
        const source = await read(url, {
          principal: user.id,
          permissions,
          signal,
          require: (permission, value) => broker.require(permission, value, caller),
        });
        if (!source) throw notFound(showText(url));
        const entrypoint = source.saved?.entrypoint ?? (await runner.inspect(source)).entrypoint;
        return { name: source.name, body: bodyOf(source, entrypoint) };
      } catch (cause) {
        if (!(cause instanceof GitHubBusyError)) throw cause;
        throw new HttpError(429, cause.message, { headers: { "retry-after": "60" }, cause });
      }
    },
  };
}

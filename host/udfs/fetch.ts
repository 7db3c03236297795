/** Fetching the source of a UDF that somebody named by its URL: through the guarded network, where that is granted. */
import { UsageError } from "../../runtime/errors.ts";
import { NetError } from "../net/errors.ts";
import type { Guard } from "../net/guard.ts";
import { readUrl } from "../net/request.ts";
import { wholeBody } from "../net/whole-body.ts";
import type { Broker } from "../permissions/broker.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import { SOURCE_LIMITS, tooLarge } from "./source.ts";

/** On whose behalf sources are read, and what that may reach. */
export interface SourceReader {
  principal: string;
  permissions: Permissions;
  broker: Broker;
}

/** Fetches, asking for `net` of each host on the way. @throws UsageError, UdfLoadError, PermissionDeniedError */
export async function fetchSource(guard: Guard, url: URL, reader: SourceReader): Promise<Uint8Array> {
  const { principal, permissions, broker } = reader;
  const label = `Cannot load the UDF ${JSON.stringify(url.href)}`;
  const ending = new AbortController();
  const { signal } = ending;
  const asking = {
    principal,
    // Without its query, which may hold what gives access.
    udf: { name: url.origin + url.pathname, hash: "" },
    runId: crypto.randomUUID(),
    permissions,
    signal,
  };
  try {
    const { status, statusText, body } = await guard.fetch(
      {
        url: readUrl(url.href),
        method: "GET",
        headers: [],
        body: null,
        redirect: "follow",
        timeoutMs: null,
        timeoutFor: "answer",
      },
      {
        principal,
        permissions,
        signal,
        require: (permission, value) => broker.require(permission, value, asking),
      },
    );
    if (status < 200 || status > 299)
      throw new UsageError(`${label}: the server answered ${status} ${statusText}`.trimEnd());
    const bytes = await wholeBody(body, SOURCE_LIMITS.totalBytes);
    if (bytes === null) throw tooLarge(url.href, SOURCE_LIMITS.totalBytes);
    return bytes;
  } catch (cause) {
    if (cause instanceof NetError) throw new UsageError(`${label}: ${cause.message}`, { cause });
    throw cause;
  } finally {
    ending.abort();
  }
}

/** Fetching the source of a UDF that somebody named by its URL: through the guarded network, where that is granted. */
import { concat } from "../../runtime/bytes.ts";
import { UsageError } from "../../runtime/errors.ts";
import { checkContext } from "../context/context.ts";
import type { Binding, Call } from "../host.ts";
import { NetError } from "../net/errors.ts";
import type { Broker } from "../permissions/broker.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import { checkSize, type FetchBytes } from "./source-url.ts";

/**
 * Fetches by the binding `net`, asking for `net` of each host on the way.
 * @param principal on whose behalf sources are read
 */
export function guardedFetchBytes(
  net: Binding,
  broker: Broker,
  permissions: Permissions,
  principal: string,
): FetchBytes {
  return async (url) => {
    const ending = new AbortController();
    const udf = { name: url.href, hash: "" };
    const asking = { principal, udf, runId: crypto.randomUUID(), permissions, signal: ending.signal };
    const call: Call = {
      ...asking,
      engine: "",
      context: checkContext(undefined),
      run: () => Promise.reject(new UsageError("Reading a source runs nothing")),
      require: (permission, value) => broker.require(permission, value, asking),
    };
    const ask = (method: "fetch" | "read", argument: unknown) =>
      (net[method] as Binding[string])([argument], call);
    const label = `Cannot load the UDF ${JSON.stringify(url.href)}`;
    try {
      const request = { url: url.href, method: "GET", headers: [], body: null, redirect: "follow" };
      const { status, statusText, body, handle } = (await ask("fetch", {
        ...request,
        timeoutMs: null,
      })) as { status: number; statusText: string; body: Uint8Array; handle: number | null };
      if (status < 200 || status > 299)
        throw new UsageError(`${label}: the server answered ${status} ${statusText}`.trimEnd());
      const parts = [body];
      for (let total = body.length, part: unknown; handle !== null; ) {
        part = await ask("read", handle);
        if (!(part instanceof Uint8Array)) break;
        parts.push(part);
        checkSize((total += part.length), url.href);
      }
      return concat(parts);
    } catch (cause) {
      if (cause instanceof NetError) throw new UsageError(`${label}: ${cause.message}`, { cause });
      throw cause;
    } finally {
      ending.abort();
    }
  };
}

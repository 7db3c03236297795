/** What a TypeScript UDF can set. */
import type { ServerSettings } from "./server/settings.ts";

/**
 * The server that the functions of `api` for accounts, jobs and schedules ask, and how: the options of the reference that have a meaning in
 * an isolate. They hold for this run. Requests need the permission `net` for the server's host.
 *
 * @example
 * import { api, options, secrets } from "fuselet/udf";
 * options.baseUrl = "https://udfs.example.org";
 * options.token = await secrets.get("UDFS_TOKEN");
 * const { email } = await api.whoami();
 */
export const options: ServerSettings = {};

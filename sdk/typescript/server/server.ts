/** A client of a server: `fuselet serve`, or Fused itself. */
import type { ParquetReader } from "../../../host/tables/parquet.ts";
import type { UdfSource } from "../../../runtime/udf.ts";
import { accountFunctions } from "./account.ts";
import { Connection, type Fetch } from "./connection.ts";
import { decodeMore } from "./decode-more.ts";
import { type FileFunctions, fileFunctions } from "./files.ts";
import { jobFunctions } from "./jobs.ts";
import { runFunctions } from "./runs.ts";
import { savedUdfFunctions } from "./saved-udfs.ts";
import { scheduleFunctions } from "./schedules.ts";
import { secretFunctions } from "./secrets.ts";
import { sessionFunctions } from "./sessions.ts";
import type { ServerSettings } from "./settings.ts";
import { tokenFunctions } from "./tokens.ts";
import { udfFunctions } from "./wire-udf.ts";

/** The options of `openServer`. */
export interface ServerOptions extends ServerSettings {
  /** What sends requests. Default: the platform's own */
  fetch?: Fetch;
  /** Where `jobPrintLogs` and `jobTailLogs` print. Default: the console */
  print?: (line: string) => void;
}

/** What a platform brings. */
export interface ServerPlatform {
  fetch: Fetch;
  /** Reads Parquet; undefined where nothing does. */
  openParquetReader?: () => Promise<ParquetReader>;
}

/**
 * Makes a client. Nothing is asked before its first function is called.
 * @throws UsageError for options that are wrong, or where there is no server
 */
export function makeServer({ fetch, print, ...settings }: ServerOptions, platform: ServerPlatform): Server {
  const connection = new Connection(() => settings, fetch ?? platform.fetch);
  void connection.settings;
  const more = decodeMore(platform.openParquetReader);
  const account = accountFunctions(connection);
  const saved = savedUdfFunctions(connection);
  const udfs = udfFunctions(connection, saved.findUdf);
  const jobs = jobFunctions(connection, { more, print: print ?? ((line) => console.log(line)) });
  const find = async (udf: string | UdfSource) =>
    typeof udf === "string" ? saved.findUdf(udf) : udfs.saveUdf(udf, { overwrite: true });
  const nobody = { shareToken: null, sessionToken: null, udfName: null };
  return {
    ...account,
    ...saved,
    ...udfs,
    ...jobs,
    ...runFunctions(connection, {
      more,
      readsParquet: platform.openParquetReader !== undefined,
      load: (name) => udfs.loadUdf(name),
      startJob: jobs.startJob,
    }),
    ...scheduleFunctions<string | UdfSource>(connection, find),
    ...tokenFunctions(connection, async () => (await account.whoami()).email),
    ...secretFunctions(connection),
    ...sessionFunctions(connection, async () => nobody),
    ...fileFunctions(connection),
  };
}

/** A client of a server. */
export interface Server
  extends ReturnType<typeof accountFunctions>,
    ReturnType<typeof savedUdfFunctions>,
    ReturnType<typeof udfFunctions>,
    ReturnType<typeof jobFunctions>,
    ReturnType<typeof runFunctions>,
    ReturnType<typeof scheduleFunctions<string | UdfSource>>,
    ReturnType<typeof tokenFunctions>,
    ReturnType<typeof secretFunctions>,
    ReturnType<typeof sessionFunctions>,
    FileFunctions {}

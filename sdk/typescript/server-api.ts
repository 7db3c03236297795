/** What a TypeScript UDF can ask of a server: the functions of the reference's `fused.api` that are not about files. */
import { context } from "./context.ts";
import { options } from "./options.ts";
import { accountFunctions } from "./server/account.ts";
import { Connection, type Fetch } from "./server/connection.ts";
import { resolveFunctions } from "./server/files-resolve.ts";
import { jobFunctions } from "./server/jobs.ts";
import { savedUdfFunctions } from "./server/saved-udfs.ts";
import { scheduleFunctions } from "./server/schedules.ts";
import { sessionFunctions } from "./server/sessions.ts";

/** The guarded fetch of the isolate. */
const guarded: Fetch = (url, init) => (globalThis as unknown as { fetch: Fetch }).fetch(url, init);

const connection = new Connection(() => options, guarded);
const saved = savedUdfFunctions(connection);

/** The server that `options` names, or another one, as whom they say. */
export const connectionTo = (baseUrl?: string): Connection =>
  baseUrl === undefined ? connection : new Connection(() => ({ ...options, baseUrl }), guarded);

/** The type of `serverApi`. */
export interface ServerApi
  extends ReturnType<typeof accountFunctions>,
    ReturnType<typeof savedUdfFunctions>,
    ReturnType<typeof jobFunctions>,
    ReturnType<typeof scheduleFunctions<string>>,
    ReturnType<typeof sessionFunctions>,
    ReturnType<typeof resolveFunctions> {}

/** All ask the server that `options` names, when they are called. */
export const serverApi: ServerApi = {
  ...accountFunctions(connection),
  ...saved,
  ...jobFunctions(connection, {
    print: (line) => console.log(line),
    recursion: async () => (await context()).recursionFactor,
  }),
  /** Of a saved UDF, by its name or id. */
  ...scheduleFunctions<string>(connection, saved.findUdf),
  ...sessionFunctions(connection, async () => {
    const { shareToken, sessionToken, udf } = await context();
    return { shareToken, sessionToken, udfName: udf.name };
  }),
  ...resolveFunctions(connection),
};

/** What a TypeScript UDF can ask of a server: the functions of the reference's `fused.api` that are not about files. */
import { UsageError } from "../../runtime/errors.ts";
import { context } from "./context.ts";
import { door } from "./door.ts";
import { options } from "./options.ts";
import { accountFunctions, type ServerUser } from "./server/account.ts";
import { Connection, type Fetch } from "./server/connection.ts";
import { resolveFunctions } from "./server/files-resolve.ts";
import { jobFunctions } from "./server/jobs.ts";
import { savedUdfFunctions } from "./server/saved-udfs.ts";
import { scheduleFunctions } from "./server/schedules.ts";
import { sessionFunctions } from "./server/sessions.ts";

/** The guarded fetch of the isolate. */
const guarded: Fetch = (url, init) => (globalThis as unknown as { fetch: Fetch }).fetch(url, init);

/** @throws UsageError where no server is named: also on one, as a UDF has no token of its user that it could give away */
const named = () => {
  if (options.baseUrl) return options;
  throw new UsageError(
    "There is no server to ask: a UDF gets no token of its user. run and submit by name, secrets, api.whoami() and the files of api need none; for all else set options.baseUrl and options.token",
  );
};

const connection = new Connection(named, guarded);
const account = accountFunctions(connection);
const saved = savedUdfFunctions(connection);

/** Who is signed in to the run, as its server knows them. @throws UsageError */
async function userOfRun(): Promise<ServerUser> {
  const user = (await door.call("context.field", "user")) as ServerUser | null;
  if (user) return user;
  throw new UsageError(
    "Cannot say who you are: nobody is signed in to this run, which was asked for by a link or runs on no server",
  );
}

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

/** All ask the server that `options` names, when they are called. Where it names none, `whoami` is who is signed in to the run. */
export const serverApi: ServerApi = {
  ...account,
  whoami: () => (options.baseUrl ? account.whoami() : userOfRun()),
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

/** What a TypeScript UDF can know about its own run. */
import { door } from "./door.ts";

export interface UdfContext {
  /** Of the request that the run answers; names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** How deep the run is nested in others: 0 is none. */
  recursionFactor: number;
  clientId: string | null;
  userEmail: string | null;
  /** `realtime` answers a request, `batch` is a job, `local` is neither. */
  kind: "local" | "realtime" | "batch";
  shareToken: string | null;
  /** This UDF. */
  udf: { name: string; hash: string };
}

/** Who asked for this run, how, and as what. */
export async function context(): Promise<UdfContext> {
  return (await door.call("context.get")) as UdfContext;
}

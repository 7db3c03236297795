/** What a TypeScript UDF can know about its own run. */
import type { RunContext } from "../../host/context/context.ts";
import { door } from "./door.ts";

export interface UdfContext extends RunContext {
  /** This UDF. */
  udf: { name: string; hash: string };
}

/** Who asked for this run, how, and as what. */
export async function context(): Promise<UdfContext> {
  return (await door.call("context.get")) as UdfContext;
}

/** What the host can do in a page, each binding loaded when a UDF first calls it. */
import type { OpenBindings } from "./bindings.ts";

export function openBindings(): OpenBindings {
  return { bindings: {}, async close() {} };
}

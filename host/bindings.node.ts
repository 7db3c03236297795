/** What the host can do in Node, each binding loaded when a UDF first calls it. */
import type { OpenBindings } from "./bindings.ts";

export function openBindings(): OpenBindings {
  return { bindings: {}, async close() {} };
}

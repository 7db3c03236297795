/** The bare realm as it is shipped, with an attack for an engine. */
import type { Outer } from "../../../runtime/isolate/outer.ts";
import { realmStart } from "../../../runtime/isolate/realm.node.ts";
import { attackEngine } from "./attack-engine.ts";

export const start = (outer: Outer & { main?: unknown }, id: number, text: string) =>
  realmStart(attackEngine(outer.main))(outer, id, text);

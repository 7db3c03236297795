/** The script of a TypeScript realm in Node: build.mjs bundles it. */
import { realmStart } from "../../isolate/realm.node.ts";
import { quickjsRealm } from "./realm.ts";

export const start = realmStart(quickjsRealm);

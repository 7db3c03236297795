/** The script of a Python realm in Node: build.mjs bundles it, and the host puts the distribution's glue in front as `pyodideGlue`. */
import { realmStart } from "../../isolate/realm.node.ts";
import { type GlueFactory, pyodideEngine } from "./guest.ts";

declare const pyodideGlue: GlueFactory;

export const start = realmStart(pyodideEngine(pyodideGlue));

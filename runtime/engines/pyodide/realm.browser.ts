/** The script of a Python realm in a page: build.mjs bundles it, and the host puts the distribution's glue in front as `pyodideGlue`. */
import { workerStart } from "../../isolate/worker.browser.ts";
import { type GlueFactory, pyodideEngine } from "./guest.ts";

declare const pyodideGlue: GlueFactory;

export const start = workerStart(pyodideEngine(pyodideGlue));

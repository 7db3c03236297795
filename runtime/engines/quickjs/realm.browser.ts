/** The script of a TypeScript realm in a page: build.mjs bundles it. */
import { workerStart } from "../../isolate/worker.browser.ts";
import { quickjsRealm } from "./realm.ts";

export const start = workerStart(quickjsRealm);

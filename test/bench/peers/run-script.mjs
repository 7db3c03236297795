/**
 * A whole process that runs one script in the package `run`.
 *
 *     node run-script.mjs PATH_OF_ITS_MODULE
 */
import { pathToFileURL } from "node:url";
import { HELLO } from "./run.mjs";

const { run } = await import(pathToFileURL(process.argv[2]).href);
const { value } = await run({ source: HELLO });
console.log(JSON.stringify(value));
process.exit(0);

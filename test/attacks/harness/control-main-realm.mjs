/** A process with all of Node, for controls: `node control-main-realm.mjs ATTACK TARGET` prints `{value}`. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [file, target] = process.argv.slice(2);
globalThis.require = createRequire(import.meta.url);
const { default: attack } = await import(pathToFileURL(file).href);
const value = await attack({ main: globalThis, target: JSON.parse(target), foreign: () => false });
process.stdout.write(`${JSON.stringify({ value })}\n`);
process.exit(0);

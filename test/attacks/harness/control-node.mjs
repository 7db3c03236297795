/** A runner without any wall, for controls: `node control-node.mjs ATTACK PARAMETERS` runs a TypeScript UDF and prints its answer as JSON. */
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "fuselet/udf"
      ? { url: "data:text/javascript,export const udf=(options,fn)=>fn", shortCircuit: true }
      : next(specifier, context),
});
const [file, parameters] = process.argv.slice(2);
// The attack sees what a script has, `require` too.
globalThis.require = (await import("node:module")).createRequire(import.meta.url);
const { default: udf } = await import(pathToFileURL(file).href);
process.stdout.write(JSON.stringify((await udf(JSON.parse(parameters))) ?? null));
process.exit(0);

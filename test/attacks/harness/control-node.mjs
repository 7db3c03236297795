/**
 * A runner without any wall, for controls: `node control-node.mjs ATTACK PARAMETERS [TIMES]` runs a TypeScript UDF so often in one
 * process and prints its last answer as JSON. It believes what the UDF answers and throws.
 */
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "fuselet/udf"
      ? { url: new URL("careless-udf.mjs", import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
});

/** As a careless program does it. */
function merge(target, source) {
  for (const key of Object.keys(source)) {
    if (source[key] === null || typeof source[key] !== "object") target[key] = source[key];
    else merge((target[key] ??= {}), source[key]);
  }
}

/** What an answer or an error did to this program, by name. */
async function attempt(udf, parameters) {
  let answer;
  try {
    answer = (await udf(parameters)) ?? null;
  } catch (error) {
    return [error.name, `exit ${error.exitCode}`];
  }
  if (answer === null || typeof answer !== "object" || Array.isArray(answer)) return answer;
  merge({}, answer);
  const reached = [];
  for (const key in {}) reached.push(key);
  return reached;
}

const [file, parameters, times = "1"] = process.argv.slice(2);
globalThis.parameters = JSON.parse(parameters);
// The attack sees what a script has, `require` too.
globalThis.require = (await import("node:module")).createRequire(import.meta.url);
const { default: udf } = await import(pathToFileURL(file).href);
let answer;
for (let i = 0; i < Number(times); i++) answer = await attempt(udf, JSON.parse(parameters));
process.stdout.write(JSON.stringify(answer), () => process.exit(0));

/** Attacks that have broken out of the engine and are loose in the bare realm. */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { childScript, realmScript } from "./bundles.mjs";
import { checkControl } from "./context.mjs";
import { nodePath, nodes, run } from "./processes.mjs";

export async function runInRealm(major, context, { realm, child, target }) {
  const input = JSON.stringify({ host: await context.hostUrl(), child, realm, target });
  const { stdout, stderr } = await run(nodePath(major), [join(import.meta.dirname, "realm-runner.mjs")], {
    input,
  });
  return stdout === "" ? { error: stderr } : JSON.parse(stdout);
}

/** Runs an attack in a process with all of Node. */
export async function plainNode(file, target) {
  const args = [join(import.meta.dirname, "control-main-realm.mjs"), file, JSON.stringify(target)];
  const { stdout, stderr } = await run(nodePath(26), args);
  const line = stdout.trim().split("\n").at(-1);
  return line ? JSON.parse(line) : { error: stderr };
}

export async function attempt(attack, context) {
  const problems = [];
  const file = join(attack.folder, "attack.js");
  const [child, realm, leaky] = await Promise.all([
    childScript(),
    realmScript(file, "realm-entry.ts"),
    realmScript(file, "leaky-entry.ts"),
  ]);
  const { canaries } = context;
  const value = attack.expect?.value ?? [];
  for (const major of Object.keys(nodes)) {
    const answer = await runInRealm(major, context, { realm, child, target: canaries.target });
    if (!isDeepStrictEqual(answer.value, value))
      problems.push(`Node ${major}: it answered ${JSON.stringify(answer)}`);
    problems.push(...canaries.check(JSON.stringify(answer)).map((wrong) => `Node ${major}: ${wrong}`));
  }
  const answer =
    attack.control.in === "node"
      ? await plainNode(file, canaries.decoy)
      : await runInRealm(26, context, { realm: leaky, child, target: canaries.decoy });
  problems.push(...checkControl(attack.control, answer));
  canaries.check("");
  return problems;
}

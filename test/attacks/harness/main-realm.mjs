/** Attacks that have broken out of the bare realm and hold the globals of the child's main realm. */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { childScript, realmScript } from "./bundles.mjs";
import { Canaries } from "./canaries.mjs";
import { checkControl } from "./context.mjs";
import { nodes } from "./processes.mjs";
import { plainNode, runInRealm } from "./realm.mjs";

export async function attempt(attack, context) {
  const problems = [];
  const file = join(attack.folder, "attack.js");
  const [child, realm] = await Promise.all([
    childScript({ lendMain: true }),
    realmScript(file, "realm-entry.ts"),
  ]);
  for (const major of Object.keys(nodes)) {
    const { canaries } = context;
    const answer = await runInRealm(major, context, { realm, child, target: canaries.target });
    const value = attack.expect?.value ?? [];
    if (!isDeepStrictEqual(answer.value, value))
      problems.push(`Node ${major}: it answered ${JSON.stringify(answer)}`);
    problems.push(...canaries.check(JSON.stringify(answer)).map((wrong) => `Node ${major}: ${wrong}`));
  }
  const own = await Canaries.open();
  try {
    problems.push(...checkControl(attack.control, await plainNode(file, own.decoy)));
  } finally {
    await own.close();
  }
  context.canaries.check("");
  return problems;
}

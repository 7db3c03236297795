/** Attacks by a child that is nothing but hostile: what it sends on the channel. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { hostileChild } from "./bundles.mjs";
import { naiveHost } from "./naive-host.mjs";
import { checkOutcome } from "./udf.mjs";

const source = (name) => ({
  name,
  language: "typescript",
  code: name,
  file: `${name}.ts`,
  headers: [],
  metadata: {},
});

export async function attempt(attack, context) {
  const child = await hostileChild(join(attack.folder, "attack.js"));
  const { Runtime, nodePlatform, DEFAULT_LIMITS } = await import(await context.hostUrl());
  const folder = { name: "attack", read: async () => Buffer.from(child), has: async () => true };
  const engine = {
    languages: ["typescript"],
    recipe: async () => ({ key: "attack", realm: "", assets: [], start: {}, realmPerUdf: false }),
    prepare: async ({ name, code, file }) => ({ name, code, file, headers: [], entrypoint: null }),
    locate: async (failure) => failure,
  };
  let calls = 0;
  const runtime = new Runtime({
    platform: nodePlatform(folder),
    engines: [engine],
    host: async () => {
      calls++;
      return { text: '{"ok":true,"value":null}', buffers: [] };
    },
    limits: {
      ...DEFAULT_LIMITS,
      timeMs: 2000,
      startMs: 5000,
      outputBytes: 16 << 20,
      logBytes: 1 << 20,
      ...attack.limits,
    },
    pool: { maxIsolates: 2, memoryBytes: 4 * 1024 ** 3, spares: 0 },
    reusable: true,
    narrowPermissions: () => ({}),
    checkContext: () => null,
    hash: async (text) => createHash("sha256").update(text).digest("hex"),
  });
  const problems = [];
  const run = (name, principal) =>
    runtime.run(source(name), { principal }).then(
      ({ value }) => ({ value }),
      (error) => ({ error }),
    );
  const honest = async (principal) => {
    const outcome = await run("honest", principal);
    if (outcome.value !== "honest")
      problems.push(`an honest run of ${principal} ended with ${outcome.error ?? outcome.value}`);
  };
  try {
    await honest("neighbour");
    const before = process.memoryUsage().rss;
    const attacked = run("hostile", "attacker");
    await honest("neighbour");
    const outcome = await attacked;
    problems.push(...checkOutcome(attack.expect, outcome));
    if (attack.expect.message && !outcome.error?.message.includes(attack.expect.message)) {
      problems.push(`it ended with ${outcome.error ?? JSON.stringify(outcome.value).slice(0, 300)}`);
    }
    if (Object.prototype.polluted !== undefined || {}.polluted !== undefined)
      problems.push("Object.prototype was changed");
    const grown = process.memoryUsage().rss - before;
    if (grown > 768 << 20) problems.push(`the host grew by ${grown} bytes`);
    if (calls > DEFAULT_LIMITS.hostCalls) problems.push(`${calls} host calls were answered`);
    await honest("neighbour");
    await honest("attacker");
  } finally {
    await runtime.close();
  }
  const facts = await naiveHost(child);
  const missing = attack.control.reaches.filter((fact) => !facts.includes(fact));
  if (missing.length > 0)
    problems.push(`a naive host does not see ${missing.join(", ")}: ${facts.join(", ")}`);
  return problems;
}

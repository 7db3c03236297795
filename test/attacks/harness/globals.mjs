/**
 * Lists of the names that code can see, against names.json: what is not on it is a failure. A name may be missing: engines differ by
 * version.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childScript, realmScript } from "./bundles.mjs";
import { sourceOf } from "./context.mjs";
import { nodes } from "./processes.mjs";
import { runInRealm } from "./realm.mjs";
import { FILES } from "./udf.mjs";

/** The names of each owner that are not on the list. @param owners owner -> names with spaces between them */
function additions(owners, known) {
  return Object.entries(owners).flatMap(([owner, names]) => {
    const allowed = new Set((known[owner] ?? "").split(" "));
    return names
      .split(" ")
      .filter((name) => !allowed.has(name))
      .map((name) => `${owner}: ${name}`);
  });
}

/** Lists from inside UDFs. @returns place -> owners */
async function listInUdf(language, code, context) {
  const lists = {};
  for (const place of ["runtime", "page"]) {
    const runtime = await context[place]();
    lists[place] = (await runtime.run(sourceOf("attack", language, code), { principal: "globals" })).value;
  }
  return lists;
}

/** Lists from inside the bare realm of each supported Node. */
async function listInRealm(code, context) {
  const folder = mkdtempSync(join(tmpdir(), "fuselet-attack-globals-"));
  try {
    const file = join(folder, "attack.js");
    writeFileSync(file, code);
    const [child, realm] = await Promise.all([childScript(), realmScript(file, "realm-entry.ts")]);
    const lists = {};
    for (const major of Object.keys(nodes)) {
      const { value, error } = await runInRealm(major, context, { realm, child, target: {} });
      if (error) throw new Error(`Node ${major}: ${error}`);
      lists[`Node ${major}`] = value;
    }
    return lists;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function attempt(attack, context) {
  const [language, name] = Object.entries({ ...FILES, realm: "attack.js" }).find(([, name]) =>
    existsSync(join(attack.folder, name)),
  );
  const code = readFileSync(join(attack.folder, name), "utf8");
  const known = JSON.parse(readFileSync(join(attack.folder, "names.json"), "utf8"));
  const list = (text) =>
    language === "realm" ? listInRealm(text, context) : listInUdf(language, text, context);
  const problems = [];
  for (const [place, owners] of Object.entries(await list(code))) {
    for (const name of additions(owners, known)) problems.push(`${place}: not on the list: ${name}`);
  }
  for (const [place, owners] of Object.entries(await list(code + attack.control.with))) {
    if (!additions(owners, known).includes(attack.control.finds))
      problems.push(`${place}: the control's name is not found`);
  }
  return problems;
}

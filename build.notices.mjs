// The licences of what a build contains: libraries that are bundled must bring their notices along.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * The text for THIRD-PARTY.txt: each bundled package with its version and its licence's text, or where its source is.
 * @param {string} root
 * @param {Iterable<string>} inputs paths of all files in bundles
 */
export async function thirdPartyNotices(root, inputs) {
  // Pages get these as they are.
  const folders = new Set(
    ["pyodide", "@jitl/quickjs-wasmfile-release-sync"].map((name) => `node_modules/${name}`),
  );
  for (const path of inputs) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
    if (folder) folders.add(folder);
  }
  const sections = [];
  for (const folder of [...folders].sort()) {
    const { name, version, license, repository, homepage } = JSON.parse(
      await readFile(join(root, folder, "package.json"), "utf8"),
    );
    const file = (await readdir(join(root, folder))).find((entry) => /^(licen[cs]e|copying)\b/i.test(entry));
    const text = file
      ? (await readFile(join(root, folder, file), "utf8")).trim()
      : `Its package has no file with the licence. Its source: ${repository?.url ?? repository ?? homepage}`;
    sections.push(`${name} ${version} (${license})\n\n${text}\n`);
  }
  return sections.join(`\n${"-".repeat(80)}\n\n`);
}

/** Small packages, packed by npm itself. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Writes a package's files below a folder. */
export function writePackage(folder, { name, version, files, ...manifest }) {
  const all = { "package.json": JSON.stringify({ name, version, ...manifest }), ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/**
 * Packs packages.
 * @param {string} folder for the work
 * @param {{ name: string, version: string, files: Record<string, string>, dependencies?: Record<string, string> }[]} packages
 */
export function packAll(folder, packages) {
  const folders = packages.map((each, i) => {
    const path = join(folder, String(i));
    writePackage(path, each);
    return path;
  });
  const { status, stdout } = spawnSync(
    "npm",
    ["pack", "--json", "--ignore-scripts", "--pack-destination", folder, ...folders],
    {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  if (status !== 0) throw new Error(`npm pack ended with ${status}`);
  return Object.values(JSON.parse(stdout)).map(({ name, version, filename, integrity }) => {
    const archive = readFileSync(join(folder, filename.replace(/^@/, "").replace("/", "-")));
    const actual = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
    if (actual !== integrity) throw new Error(`npm says ${integrity} of ${filename}, which is ${actual}`);
    const { dependencies } = packages.find((each) => each.name === name && each.version === version);
    return { name, version, archive, integrity, dependencies };
  });
}

/** Virtual environments of Python that tests need: each is made once, with pinned packages. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, makeOnce } from "./folder.mjs";

/**
 * The path of a python that has these packages.
 * @param {string} name of the folder
 * @param {readonly string[]} requirements pinned, so that a test that fails today failed yesterday
 * @param {string} [interpreter] default: `python3`
 * @throws Error where it cannot be made
 */
export async function venv(name, requirements, interpreter = "python3") {
  const version = createHash("sha256").update(requirements.join("\n")).digest("hex").slice(0, 8);
  const folder = await makeOnce(join(cacheFolder(), `${name}-${version}`), (part) => {
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...requirements];
    for (const [command, args] of [
      [interpreter, ["-m", "venv", part]],
      [join(part, "bin", "python"), install],
    ]) {
      const { status, error } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
      if (status !== 0) {
        const why = error?.message ?? `ended with ${status}`;
        throw new Error(`Cannot install ${name}: ${command} ${args.join(" ")}: ${why}`);
      }
    }
  });
  return join(folder, "bin", "python");
}

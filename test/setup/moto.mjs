/**
 * A virtual environment with moto, which stands for AWS in tests.
 *
 *     node test/setup/moto.mjs        prints the path of its python
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, makeOnce } from "./folder.mjs";

/** Pinned, so that a test that fails today failed yesterday. */
const REQUIREMENTS = ["moto[server,s3]==5.2.5"];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) {
    throw new Error(
      `Cannot install moto: ${command} ${args.join(" ")}: ${error?.message ?? `ended with ${status}`}`,
    );
  }
}

/**
 * The path of a python that has moto: `python -m moto.server`.
 * @throws Error where it cannot be installed
 */
export async function moto() {
  const version = createHash("sha256").update(REQUIREMENTS.join("\n")).digest("hex").slice(0, 8);
  const folder = await makeOnce(join(cacheFolder(), `moto-${version}`), (part) => {
    run("python3", ["-m", "venv", part]);
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...REQUIREMENTS];
    run(join(part, "bin", "python"), install);
  });
  return join(folder, "bin", "python");
}

if (import.meta.main) console.log(await moto());

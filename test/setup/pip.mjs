/** Wheels from the index that pip has. */
import { spawnSync } from "node:child_process";

/** Downloads wheels into a folder, without what they depend on. @throws Error where pip fails */
export function downloadWheels(requirements, folder, options = []) {
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-deps"];
  const { status } = spawnSync(
    "python3",
    ["-m", "pip", "download", ...quiet, ...options, "-d", folder, ...requirements],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  if (status !== 0) throw new Error(`Cannot download ${requirements.join(", ")}: pip ended with ${status}`);
}

/**
 * A Chromium for browser tests: the one that is there, else Debian's.
 *
 *     node test/setup/chromium.mjs        prints its path
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Arguments with which Chromium runs headless in a container and asks nobody on the network. */
export const CHROMIUM_ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function find() {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const candidates = [
    ...(process.env.FUSELET_CHROMIUM ? [process.env.FUSELET_CHROMIUM] : []),
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
  ];
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Its path; installs it with apt where there is none (needs root).
 * @throws Error that says what to do where it cannot be installed
 */
export function chromium() {
  const found = find();
  if (found) return found;
  for (const command of [
    ["apt-get", "update", "-qq"],
    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
  ]) {
    const { status, error } = spawnSync(command[0], command.slice(1), {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (status !== 0) {
      const why = error ? error.message : `it ended with ${status}`;
      throw new Error(
        `Cannot install Chromium with ${command.join(" ")}: ${why}. Install it, or set FUSELET_CHROMIUM`,
      );
    }
  }
  const installed = find();
  if (!installed) throw new Error("Chromium was installed, but is not on the PATH: set FUSELET_CHROMIUM");
  return installed;
}

if (import.meta.main) console.log(chromium());

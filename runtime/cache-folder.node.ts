/** Where this machine keeps what was built once. */
import { homedir, platform } from "node:os";
import { join } from "node:path";

/** Where builds are kept: `FUSELET_CACHE`, else the platform's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.FUSELET_CACHE) return env.FUSELET_CACHE;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "fuselet");
  if (platform() === "darwin") return join(homedir(), "Library", "Caches", "fuselet");
  if (platform() === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "fuselet");
  return join(homedir(), ".cache", "fuselet");
}

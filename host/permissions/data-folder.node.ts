/** Where this machine keeps what belongs to its user and cannot be made again. */
import { homedir, platform } from "node:os";
import { join } from "node:path";

/** `FUSELET_DATA`, else the platform's folder for a user's data. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.FUSELET_DATA) return env.FUSELET_DATA;
  if (env.XDG_DATA_HOME) return join(env.XDG_DATA_HOME, "fuselet");
  if (platform() === "darwin") return join(homedir(), "Library", "Application Support", "fuselet");
  if (platform() === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "fuselet");
  return join(homedir(), ".local", "share", "fuselet");
}

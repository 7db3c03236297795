/** The version of the package that this file belongs to. */
import { readFileSync } from "node:fs";

/** Reads it from package.json, which lies above the sources and above the built files alike. */
export function version(): string {
  let url = new URL("package.json", import.meta.url);
  for (;;) {
    try {
      const manifest = JSON.parse(readFileSync(url, "utf8")) as { name?: string; version?: string };
      if (manifest.name === "fuselet" && manifest.version) return manifest.version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    const above = new URL("../package.json", url);
    if (above.href === url.href) return "unknown";
    url = above;
  }
}

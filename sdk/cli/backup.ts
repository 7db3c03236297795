/** `fuselet backup` and `fuselet restore`: a server's folder as one archive, and back. */
import { join, resolve } from "node:path";
import { dataFolder } from "../../host/permissions/data-folder.node.ts";
import { backup, type Copied, restore } from "../../host/server/backup.node.ts";
import type { Options } from "./arguments.ts";
import { showBytes } from "./quantities.ts";
import { type Terminal, write } from "./terminal.ts";
import { version } from "./version.ts";

export interface BackupCommand {
  kind: "backup" | "restore";
  options: Options;
  file: string;
}

/** The folder of the server that `--data` names, else its default. */
export function serverFolder(options: Options, env: Terminal["env"]): string {
  return resolve(options.get("data") ?? join(dataFolder(env), "server"));
}

/**
 * Runs the command.
 * @throws UsageError where something is in the way, or the archive is none; StoreError
 */
export async function copyServer({ kind, options, file }: BackupCommand, terminal: Terminal): Promise<void> {
  const { stdout, stderr, env } = terminal;
  const data = serverFolder(options, env);
  const copied: Copied =
    kind === "backup" ? await backup(data, resolve(file), version()) : await restore(resolve(file), data);
  if (options.has("json")) return write(stdout, `${JSON.stringify(copied)}\n`);
  const amount = `${copied.files} files, ${showBytes(copied.bytes)}`;
  return write(stderr, kind === "backup" ? `wrote ${file}: ${amount}\n` : `restored ${data}: ${amount}\n`);
}

/** `fuselet cache`: what is kept for later runs. */
import { type KeptEntry, openKept, type Removed } from "../../host/cache/kept.node.ts";
import { cacheFolder } from "../../runtime/cache-folder.node.ts";
import { plainText } from "../../runtime/show.ts";
import type { CacheAction, Options } from "./arguments.ts";
import { toColumns } from "./columns.ts";
import { showBytes } from "./quantities.ts";
import { type Terminal, write } from "./terminal.ts";
import type { KeptKind } from "./verbs.ts";

export interface CacheCommand {
  options: Options;
  action: CacheAction;
  kinds: readonly KeptKind[];
}

/**
 * Runs the command.
 * @throws StoreError for a database that cannot be used
 */
export async function cache(
  { options, action, kinds }: CacheCommand,
  { stdout, stderr, env }: Terminal,
): Promise<void> {
  const kept = openKept(cacheFolder(env));
  if (action === "clear") {
    const removed: Partial<Record<KeptKind, Removed>> = {};
    for (const kind of kinds) removed[kind] = await kept[kind].clear();
    if (options.has("json")) return write(stdout, `${JSON.stringify(removed)}\n`);
    return write(stderr, `removed ${describeRemoved(removed)}\n`);
  }
  const entries: KeptEntry[] = [];
  for (const kind of kinds) entries.push(...(await kept[kind].list()));
  return write(stdout, options.has("json") ? toJson(entries) : toText(entries));
}

const isoTime = (ms: number) => new Date(ms).toISOString();

const toJson = (entries: readonly KeptEntry[]) =>
  `${JSON.stringify(
    entries.map(({ createdAtMs, usedAtMs, ...entry }) => ({
      ...entry,
      createdAt: isoTime(createdAtMs),
      usedAt: isoTime(usedAtMs),
    })),
  )}\n`;

/** A line each, and the sums. Names are a UDF's: control characters in them are shown as such. */
function toText(entries: readonly KeptEntry[]): string {
  if (entries.length === 0) return "nothing is kept\n";
  const now = Date.now();
  const rows = entries.map(({ kind, what, bytes, createdAtMs, principal, udf }) => [
    kind,
    plainText(what, 60),
    showBytes(bytes),
    showAge(now - createdAtMs),
    plainText(udf ?? "", 40),
    plainText(principal ?? "", 40),
  ]);
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const table = toColumns([["kind", "what", "size", "age", "udf", "principal"], ...rows]);
  return `${table}${entries.length} in all, ${showBytes(total)}\n`;
}

function describeRemoved(removed: Partial<Record<KeptKind, Removed>>): string {
  const parts = Object.entries(removed).map(
    ([kind, { entries, bytes }]) => `${entries} ${kind}${entries === 0 ? "" : ` (${showBytes(bytes)})`}`,
  );
  return parts.join(", ");
}

function showAge(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
  ] as const;
  const [unit, size] = units.find(([, each]) => ms >= each) ?? ["s", 1000];
  return `${Math.max(0, Math.floor(ms / size))}${unit}`;
}

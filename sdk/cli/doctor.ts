/** `fuselet doctor`: whether what fuselet needs is there and works, and what to do where it does not. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openKept } from "../../host/cache/kept.node.ts";
import { dataFolder } from "../../host/permissions/data-folder.node.ts";
import { openVault } from "../../host/secrets/vault.node.ts";
import { openUsers } from "../../host/server/users.ts";
import { openStore } from "../../host/store/store.node.ts";
import { cacheFolder } from "../../runtime/cache-folder.node.ts";
import { loadEsbuild } from "../../runtime/engines/quickjs/bundle.node.ts";
import { FuseletError } from "../../runtime/errors.ts";
import { nodeProgram } from "../../runtime/isolate/node-program.node.ts";
import { createRuntime } from "../typescript/index.node.ts";
import type { Options } from "./arguments.ts";
import { serverFolder } from "./backup.ts";
import { toColumns } from "./columns.ts";
import { showBytes } from "./quantities.ts";
import { assetsFrom, PRINCIPAL } from "./runtime.ts";
import { forTerminal, type Terminal, write } from "./terminal.ts";

/** Something is not as it should be: the report has said what. */
class UnwellError extends FuseletError {
  override readonly name = "UnwellError";
  override readonly exitCode = 1;
}

interface Finding {
  check: string;
  ok: boolean;
  /** What was found, or what is wrong. */
  found: string;
}

/** What each engine runs to show that it works. */
const TRIALS = {
  python: { file: "doctor.py", code: "@fused.udf\ndef udf():\n    return 6 * 7\n" },
  typescript: { file: "doctor.ts", code: "export default (): number => 6 * 7;\n" },
} as const;
const RESULT = 42;

/**
 * Looks at everything, and writes what it found.
 * @throws UnwellError where something is wrong
 */
export async function doctor(options: Options, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const { stdout, env } = terminal;
  const findings: Finding[] = [];
  const check = async (name: string, look: () => Promise<string>) => {
    try {
      findings.push({ check: name, ok: true, found: await look() });
    } catch (error) {
      findings.push({ check: name, ok: false, found: (error as Error).message });
    }
  };
  const cache = cacheFolder(env);
  const data = dataFolder(env);
  const server = serverFolder(options, env);
  await check("node", async () => {
    const node = nodeProgram();
    if ("unfit" in node) throw new Error(node.unfit);
    return node.path === process.execPath ? process.version : node.path;
  });
  await check("cache folder", () => tryFolder(cache));
  await check("data folder", () => tryFolder(data));
  await check("esbuild", async () => `${((await loadEsbuild()) as { version?: string }).version}`);
  for (const language of ["typescript", "python"] as const)
    await check(language, () => tryEngine(language, options, env, signal));
  await check("snapshots", async () => {
    const kept = await openKept(cache).snapshots.list();
    const bytes = kept.reduce((sum, entry) => sum + entry.bytes, 0);
    return kept.length === 0 ? "none yet: the next run makes one" : `${kept.length}, ${showBytes(bytes)}`;
  });
  const key = env.FUSELET_SECRETS_KEY;
  await check("secrets", () => trySecrets(join(data, "secrets"), key, [PRINCIPAL]));
  await check("server folder", () => tryServer(server));
  if (existsSync(join(server, "server.db")))
    await check("server secrets", async () =>
      trySecrets(join(server, "secrets"), key, await usersOf(server)),
    );
  await write(
    stdout,
    options.has("json") ? `${JSON.stringify(findings)}\n` : forTerminal(toText(findings), stdout),
  );
  const bad = findings.filter(({ ok }) => !ok).length;
  if (bad > 0) throw new UnwellError(`${bad} of ${findings.length} checks failed`);
}

const toText = (findings: readonly Finding[]) =>
  toColumns(
    findings.map(({ check, ok, found }) => [
      ok ? "ok" : "FAILED",
      check,
      found.replace(/\s*[\r\n]+\s*/g, "; "),
    ]),
  );

/** Makes the folder and a file in it. */
async function tryFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `.doctor-${randomUUID()}`);
  try {
    await writeFile(file, "fuselet", { mode: 0o600 });
  } finally {
    await rm(file, { force: true });
  }
  const { mode } = await stat(folder);
  const others = process.getuid && mode & 0o022 ? "; others may write to it: chmod go-w takes that away" : "";
  return `${folder} can be written${others}`;
}

/** Starts an isolate and runs a UDF of one line in it. */
async function tryEngine(
  language: keyof typeof TRIALS,
  options: Options,
  env: Terminal["env"],
  signal: AbortSignal,
): Promise<string> {
  const { file, code } = TRIALS[language];
  const runtime = await createRuntime({
    pool: { spares: 0, reusable: false },
    assets: assetsFrom(options, env),
  });
  try {
    const started = performance.now();
    const source = { name: "doctor", language, code, file, headers: [], metadata: {} };
    const { value } = await runtime.run(source, { signal });
    if (value !== RESULT) throw new Error(`6 * 7 gave ${JSON.stringify(value)}`);
    return `an isolate runs it, in ${Math.round(performance.now() - started)} ms`;
  } finally {
    await runtime.close();
  }
}

/** Whether the key opens what is kept. */
async function trySecrets(
  folder: string,
  key: string | undefined,
  principals: readonly string[],
): Promise<string> {
  const file = join(folder, "secrets.db");
  if (!existsSync(file)) return "none was set";
  await tryDatabase(file);
  const { vault, keys, close } = openVault(folder, key);
  try {
    let count = 0;
    for (const principal of principals) {
      for (const { name } of await vault.list(principal)) {
        await vault.read(principal, name);
        count++;
      }
    }
    if (count === 0 && !key && !existsSync(join(folder, "key"))) return "none was set";
    await keys.open();
    return count === 0 ? "none is set, and the key can be read" : `${count}, which the key opens`;
  } finally {
    await close();
  }
}

async function usersOf(folder: string): Promise<string[]> {
  const store = openStore({ path: join(folder, "server.db") });
  try {
    return (await openUsers(store).list()).map(({ id }) => id);
  } finally {
    await store.close();
  }
}

async function tryServer(folder: string): Promise<string> {
  const file = join(folder, "server.db");
  if (!existsSync(file)) return `${folder} is not there: fuselet serve makes it`;
  await tryFolder(folder);
  await tryDatabase(file);
  return `${folder}, its database is whole and has ${showBytes((await stat(file)).size)}`;
}

async function tryDatabase(path: string): Promise<void> {
  const store = openStore({ path });
  try {
    const problems = await store.check();
    if (problems.length > 0)
      throw new Error(`${path} is damaged: ${problems.slice(0, 3).join("; ")}; restore a backup`);
  } finally {
    await store.close();
  }
}

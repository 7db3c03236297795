/** `fuselet lock`: writes down which files a UDF's packages are. No user code runs. */
import { lockPath } from "../../host/packages/lock-file.node.ts";
import { openAuditLog } from "../../host/permissions/audit-log.node.ts";
import { UsageError } from "../../runtime/errors.ts";
import type { Options } from "./arguments.ts";
import { grantsFrom } from "./grants.ts";
import { checkOutput, writeOutput } from "./output.ts";
import {
  assetsFrom,
  type OpenRuntime,
  openRuntime,
  PRINCIPAL,
  packagesFrom,
  untilAborted,
} from "./runtime.ts";
import { ProgressLine, type Terminal, write } from "./terminal.ts";

/**
 * Runs the command.
 * @throws FuseletError, whose `exitCode` is the command's; then the lock file is as it was.
 */
export async function lock(
  { options, udf }: { options: Options; udf: string },
  terminal: Terminal,
  signal: AbortSignal,
  open: OpenRuntime = openRuntime,
): Promise<void> {
  const path = await lockPath(udf);
  if (path === null)
    throw new UsageError(`Cannot lock ${JSON.stringify(udf)}: a lock file lies beside a file or in a folder`);
  await checkOutput(path);
  const { permissions, auditLog } = await grantsFrom(options);
  const log = auditLog === undefined ? undefined : openAuditLog(auditLog);
  const progress = new ProgressLine(terminal);
  const runtime = await open({
    permissions,
    limits: {},
    pool: { spares: 0, reusable: false },
    assets: assetsFrom(options, terminal.env),
    packages: packagesFrom(options, terminal.env),
    ...(log ? { onDecision: (decision) => log.write(decision) } : {}),
    onProgress: (event) => progress.show(event),
  });
  try {
    const text = await untilAborted(runtime.lock(udf, { principal: PRINCIPAL, signal }), signal);
    progress.clear();
    await writeOutput(path, new TextEncoder().encode(text));
    await write(terminal.stderr, `wrote ${path}\n`);
  } finally {
    progress.clear();
    await runtime.close();
    log?.close();
  }
}

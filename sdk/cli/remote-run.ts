/** `fuselet run --engine remote`: the UDF runs on a server, its result and its output come back. */
import { isPermissionFlag } from "../../host/permissions/flags.ts";
import { siblingsOf } from "../../host/udfs/siblings.node.ts";
import { UsageError } from "../../runtime/errors.ts";
import { createRuntime, type FuseletRuntime } from "../typescript/index.node.ts";
import type { Options } from "./arguments.ts";
import { grantsFrom } from "./grants.ts";
import { loginFrom } from "./logins.ts";
import { parseTime } from "./quantities.ts";
import type { RunCommand } from "./run.ts";
import { assetsFrom, sourceOf, untilAborted } from "./runtime.ts";
import { Screen } from "./screen.ts";
import type { Terminal } from "./terminal.ts";

/** What a run here decides, and a server decides for itself. */
const HERE = ["memory-limit", "index", "npm-registry", "audit-log", "permission-set", "config"];
/** For the address that the UDF itself is read from. */
const FOR_READING = new Set(["allow-net", "deny-net"]);

/** @throws UsageError for options that have no effect on a server */
function checkRemoteOptions(options: Options): void {
  if (options.get("engine") === "local")
    throw new UsageError("Cannot use --instance-type with --engine local: instances are a server's");
  const found = options.given.find(
    ({ name }) => HERE.includes(name) || (isPermissionFlag(name) && !FOR_READING.has(name)),
  );
  if (found)
    throw new UsageError(
      `Cannot use --${found.name} with --engine remote: the server decides what its runs may do, and how much`,
    );
}

/** A runtime whose runs go to the server that the command names. @throws UsageError where none is named */
export async function openRemoteRuntime(
  options: Options,
  udf: string | null,
  { env }: Terminal,
): Promise<FuseletRuntime> {
  const { url, token, scheme } = loginFrom(options, env);
  const { permissions } = await grantsFrom(options);
  return createRuntime({
    permissions,
    // Reading a UDF's headers may need one.
    pool: { spares: 0, reusable: false },
    assets: assetsFrom(options, env),
    server: { url, token, scheme },
    ...(udf === null ? {} : { udfs: siblingsOf(udf) }),
  });
}

/** Runs it. @throws as `FuseletRuntime.run` */
export async function runRemote(
  { options, udf, parameters }: RunCommand,
  position: { tile?: { x: number; y: number; z: number } },
  cacheMaxAge: string,
  terminal: Terminal,
  signal: AbortSignal,
) {
  checkRemoteOptions(options);
  const runtime = await openRemoteRuntime(options, udf, terminal);
  const screen = new Screen(terminal);
  const time = options.get("time-limit");
  const instanceType = options.get("instance-type");
  try {
    const source = await untilAborted(sourceOf(udf), signal);
    return await runtime.run(source, {
      engine: "remote",
      parameters,
      ...position,
      cacheMaxAge,
      signal,
      onOutput: (_stream, text) => screen.output(text),
      ...(instanceType === undefined ? {} : { instanceType }),
      ...(time === undefined ? {} : { limits: { timeMs: parseTime(time, "time-limit") } }),
    });
  } finally {
    await screen.end();
    await runtime.close();
  }
}

/** What the `fuselet` program does with its arguments; cli.ts connects it to the process. */
import { parseArguments } from "./arguments.ts";
import { exitCodeOf, formatError, formatJsonError } from "./errors.ts";
import { run } from "./run.ts";
import type { OpenRuntime } from "./runtime.ts";
import { type Terminal, write } from "./terminal.ts";

/**
 * Runs a command line. Never throws: an error is written to standard error.
 * @param signal cancels the run.
 * @returns the exit status.
 */
export async function main(
  argv: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
  open?: OpenRuntime,
): Promise<number> {
  try {
    await dispatch(argv, terminal, signal, open);
    return 0;
  } catch (error) {
    const options = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
    if (options.includes("--json-errors")) await write(terminal.stderr, formatJsonError(error));
    // Who pressed Ctrl-C knows why it ended.
    else if (!signal.aborted) await write(terminal.stderr, formatError(error, terminal));
    return exitCodeOf(error);
  }
}

async function dispatch(
  argv: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
  open?: OpenRuntime,
): Promise<void> {
  const command = parseArguments(argv);
  switch (command.kind) {
    case "version": {
      const { version } = await import("./version.ts");
      return write(terminal.stdout, `${version()}\n`);
    }
    case "help": {
      const { helpText } = await import("./help.ts");
      return write(terminal.stdout, helpText(command.verb));
    }
    case "run": {
      return run(command, terminal, signal, open);
    }
    case "inspect": {
      const { inspect } = await import("./inspect.ts");
      return inspect(command, terminal, signal, open);
    }
    case "serve": {
      const { serve } = await import("./serve.ts");
      return serve(command.options, terminal, signal);
    }
    case "login":
    case "logout": {
      const { login, logout } = await import("./login.ts");
      return (command.kind === "login" ? login : logout)(command.options, terminal);
    }
    case "job": {
      const { job } = await import("./job.ts");
      return job(command, terminal, signal);
    }
    case "user": {
      const { user } = await import("./user.ts");
      return user(command, terminal);
    }
    case "backup":
    case "restore": {
      const { copyServer } = await import("./backup.ts");
      return copyServer(command, terminal);
    }
    case "doctor": {
      const { doctor } = await import("./doctor.ts");
      return doctor(command.options, terminal, signal);
    }
    case "lock": {
      const { lock } = await import("./lock.ts");
      return lock(command, terminal, signal, open);
    }
    case "cache": {
      const { cache } = await import("./cache.ts");
      return cache(command, terminal);
    }
    case "permissions": {
      const { permissions } = await import("./permissions.ts");
      return permissions(command, terminal);
    }
    case "secrets": {
      const { secrets } = await import("./secrets.ts");
      return secrets(command, terminal);
    }
  }
}

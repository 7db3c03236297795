#!/usr/bin/env node
/** The `fuselet` program: signals, streams and the exit status. What it does is in main.ts. */
import { readFileSync } from "node:fs";
import nodeModule from "node:module";
import { join } from "node:path";
import { cacheFolder } from "../../runtime/cache-folder.node.ts";
import { startChildAhead } from "../../runtime/isolate/child-process.node.ts";
import { UNFIT_NODE } from "../../runtime/isolate/node-program.node.ts";

// Compiled code of the program's modules is kept, as far as there is a place for it.
nodeModule.enableCompileCache?.(join(cacheFolder(), "node"));

if (UNFIT_NODE) {
  process.stderr.write(`error: ${UNFIT_NODE}\n`);
  process.exit(2);
}

// A run needs an isolate: its process starts while the rest of the program is read. One on a server needs none.
const isElsewhere = process.argv.some((argument) => /^--(engine|instance-type)(=|$)/.test(argument));
if (
  process.argv[2] === "run" &&
  process.argv.length > 3 &&
  !process.argv.includes("--help") &&
  !isElsewhere
) {
  startChildAhead(readFileSync(new URL("./assets/child.js", import.meta.url), "utf8"));
}

const controller = new AbortController();
let stopped: number | undefined;

for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.on(signal, () => {
    // The second time, whoever asks does not want to wait for the clean-up.
    if (stopped !== undefined) process.exit(status);
    stopped = status;
    controller.abort();
  });
}

// Without a listener the error event of a closed pipe would end the process with a stack trace; write() has the error too.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

const { main } = await import("./main.ts");
const status = await main(process.argv.slice(2), process, controller.signal);
process.exit(status === 0 ? 0 : (stopped ?? status));

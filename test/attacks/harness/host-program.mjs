/**
 * A program that uses fuselet, to be killed: `node host-program.mjs MODULE ATTACK WAY` prints `running` once the UDF says something. The
 * ways: `walls`; `no setpriv`, where the kernel does not help; `nothing there`, where no shell does either and random bytes are no file;
 * `plain`, which starts the attack's control as a child and leaves a file.
 */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodePath } from "./processes.mjs";

const [module, file, way] = process.argv.slice(2);
const running = () => process.stdout.write("running\n");

if (way === "plain") {
  mkdtempSync(join(tmpdir(), "left-"));
  const [program, runner] = file.endsWith(".py")
    ? ["python3", "control-cpython.py"]
    : [nodePath(26), "control-node.mjs"];
  const child = spawn(program, [join(import.meta.dirname, runner), file, "{}"], {
    env: { ...process.env, PYTHONUNBUFFERED: "1" },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdout.once("data", running);
} else {
  const missing = {
    "no setpriv": ["/usr/bin/setpriv"],
    "nothing there": ["/usr/bin/setpriv", "/bin/sh", "/dev/urandom"],
  }[way];
  if (missing) {
    registerHooks({
      load(url, context, next) {
        const loaded = next(url, context);
        if (!url.startsWith("file:") || loaded.format !== "module") return loaded;
        let source = loaded.source.toString();
        for (const path of missing) source = source.replaceAll(`"${path}"`, `"/is-not-there"`);
        return { ...loaded, source };
      },
    });
  }
  const { createRuntime } = await import(module);
  const runtime = await createRuntime({ limits: { timeMs: 1500 } });
  await runtime.run(file, { onOutput: running });
}

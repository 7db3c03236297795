/**
 * The least that a program in two processes can be: a parent that starts a child without rights, sends it a line, and
 * prints what comes back.
 *
 *     node bare-parent.mjs FLAG…        flags of the child
 */
import { spawn } from "node:child_process";

const echo = `
const fs = require("node:fs");
const into = Buffer.alloc(4096);
fs.read(3, into, 0, into.length, null, (error, count) => fs.writeSync(3, into, 0, count));
`;
const child = spawn(process.execPath, [...process.argv.slice(2), "-e", echo], {
  env: {},
  cwd: "/",
  stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
});
const data = child.stdio[3];
data.on("data", (bytes) => {
  process.stdout.write(bytes);
  child.kill("SIGKILL");
});
child.on("close", () => process.exit(0));
data.write('{"hello":"World","squares":[0,1,4]}\n');

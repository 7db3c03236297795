/** The npm package `run` in a folder of its own: its peer dependency asks for another TypeScript than ours. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, makeOnce } from "../../setup/folder.mjs";

export const RUN_VERSION = "2.1.5";

/** The path of its module; installs it the first time. */
export async function installRun() {
  const folder = await makeOnce(join(cacheFolder(), `run-${RUN_VERSION}`), (part) => {
    writeFileSync(join(part, "package.json"), '{"private":true}\n');
    const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", `run@${RUN_VERSION}`];
    const { status } = spawnSync("npm", args, { cwd: part, stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) throw new Error(`Cannot install run@${RUN_VERSION}: npm ended with ${status}`);
  });
  return join(folder, "node_modules/run/dist/index.js");
}

/** The UDF of udfs/hello.ts as a script for it. */
export const HELLO = `
function hello(name: string = "World", n: number = 3) {
  return { hello: name, squares: Array.from({ length: n }, (_, i) => i * i) };
}
return hello();
`;

// WebAssembly that is written by hand: `import bytes from "./x.wat"` gives its binary, in the build and in unit tests.

import { readFile } from "node:fs/promises";
import openWabt from "wabt";

const FEATURES = { multi_memory: true, simd: true };

/** @returns {Promise<string>} the module that has the binary of a text file. @throws Error with the file and line that is wrong */
async function moduleOfWat(path) {
  const wabt = await openWabt();
  const module = wabt.parseWat(path, await readFile(path, "utf8"), FEATURES);
  try {
    module.validate(FEATURES);
    return `export default Uint8Array.of(${module.toBinary({}).buffer});`;
  } finally {
    module.destroy();
  }
}

/** @type {import("esbuild").Plugin} */
export const watForEsbuild = {
  name: "wat",
  setup(build) {
    build.onLoad({ filter: /\.wat$/ }, async ({ path }) => ({
      contents: await moduleOfWat(path),
      loader: "js",
    }));
  },
};

/** @type {import("vite").Plugin} */
export const watForVitest = {
  name: "wat",
  async load(id) {
    return id.endsWith(".wat") ? await moduleOfWat(id) : null;
  },
};

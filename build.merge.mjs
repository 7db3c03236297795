// Puts chunks that one file always needs into that file: a start that has to find forty files takes longer than one that finds five.

import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";

/**
 * The outputs that are loaded with one.
 * @param {import("esbuild").Metafile} metafile
 * @param {string} name of the file
 * @returns {Set<string>} names, that one's first
 */
export function loadedWith({ outputs }, name) {
  const byName = new Map(Object.entries(outputs).map(([path, found]) => [basename(path), found]));
  const names = new Set();
  const add = (each) => {
    if (names.has(each)) return;
    names.add(each);
    for (const { path, kind, external } of byName.get(each).imports)
      if (kind === "import-statement" && !external) add(basename(path));
  };
  add(name);
  return names;
}

/**
 * Merges chunks into one of them, or into another output. Whatever else needs one of them gets it from there.
 * @param {string} dist where the outputs lie
 * @param {import("esbuild").Metafile} metafile
 * @param {string} output the name of the file
 * @param {Set<string>} chunks
 */
export async function mergeChunks(dist, { outputs }, output, chunks) {
  const others = chunks.difference(new Set([output]));
  const exportsOf = new Map(Object.entries(outputs).map(([path, found]) => [basename(path), found.exports]));
  const nameOf = (chunk, exported) => `${exported}$${chunk.replaceAll(/\W/g, "_")}`;
  const lines = [...others].map((chunk) => {
    const names = exportsOf.get(chunk).map((each) => `${each} as ${nameOf(chunk, each)}`);
    return `export { ${names.join(", ")} } from "./${chunk}";`;
  });
  const isInside = (path) => others.has(basename(path)) || basename(path) === output;
  const { outputFiles } = await build({
    stdin: { contents: [`export * from "./${output}";`, ...lines].join("\n"), resolveDir: dist },
    bundle: true,
    format: "esm",
    target: "es2024",
    write: false,
    plugins: [
      {
        name: "merged",
        setup: ({ onResolve }) =>
          onResolve({ filter: /./ }, ({ path, kind }) =>
            kind === "import-statement" && isInside(path)
              ? { path: join(dist, path) }
              : { path, external: true },
          ),
      },
    ],
  });
  await writeFile(join(dist, output), outputFiles[0].contents);
  for (const chunk of others) await rm(join(dist, chunk));
  for (const file of await readdir(dist)) {
    if (!file.endsWith(".js") || file === output) continue;
    const text = await readFile(join(dist, file), "utf8");
    const changed = text.replace(/^import (?:\{([^}]*)\} from )?"\.\/([^"]+)";$/gm, (whole, names, chunk) => {
      if (!others.has(chunk)) return whole;
      if (names === undefined) return `import "./${output}";`;
      const renamed = names.split(",").map((each) => {
        const [from, to = from] = each.trim().split(" as ");
        return `${nameOf(chunk, from)} as ${to}`;
      });
      return `import { ${renamed.join(", ")} } from "./${output}";`;
    });
    for (const chunk of others)
      if (changed.includes(`"./${chunk}"`)) throw new Error(`${file} still needs ${chunk}, which was merged`);
    if (changed !== text) await writeFile(join(dist, file), changed);
  }
}

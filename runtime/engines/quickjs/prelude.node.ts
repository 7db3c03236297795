/** Bundles the script that runs inside QuickJS. For the build and for tests: what is shipped is its output. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * The guest script as one module, its exports those of `fuselet/udf`.
 * @param options.also module code that is added to the entry, for tests of what a UDF cannot reach
 */
export async function bundlePrelude({ also = "" }: { also?: string } = {}): Promise<string> {
  const result = await build({
    stdin: {
      contents: `export * from "./sdk/typescript/prelude.ts";\n${also}`,
      resolveDir: root,
      loader: "ts",
    },
    bundle: true,
    // The package says that its modules have no side effects; this one starts the guest.
    ignoreAnnotations: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    minifySyntax: true,
    minifyWhitespace: true,
    write: false,
  });
  return (result.outputFiles[0] as { text: string }).text;
}

/**
 * parquet-wasm in instances of our own. A damaged file can make it panic, after which an instance is of no use: it is thrown away, and the
 * next one is made of the same module, which is compiled once. Its memory has a limit. (Only its calls that do not wait are used: a panic in
 * one that waits would be nobody's to catch.)
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { capMemory } from "../../runtime/engines/wasm-memory.ts";
import { once } from "../../runtime/once.ts";
import { ParquetBroke, type ParquetReader } from "./parquet.ts";

type Glue = typeof import("parquet-wasm/esm");

const MEMORY_BYTES = 512 * 1024 ** 2;

const compiled = once(async () => {
  const require = createRequire(import.meta.url);
  const [glue, wasm] = ["parquet-wasm/esm", "parquet-wasm/esm/parquet_wasm_bg.wasm"].map((name) =>
    require.resolve(name),
  ) as [string, string];
  const module = await WebAssembly.compile(capMemory(await readFile(wasm), MEMORY_BYTES));
  return { glue: pathToFileURL(glue).href, module };
});

let made = 0;

/** Makes a reader. */
export async function openParquetReader(): Promise<ParquetReader> {
  const { glue, module } = await compiled();
  // The glue keeps its instance in its module: each instance needs one of its own.
  const parquet = (await import(/* @vite-ignore */ `${glue}?instance=${++made}`)) as Glue;
  parquet.initSync({ module });
  return {
    read(file) {
      try {
        return parquet.readParquet(file, { batchSize: 65_536 }).intoIPCStream();
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) throw error;
        throw new ParquetBroke(error.message);
      }
    },
  };
}

/** Collects the files that a single TypeScript file imports, from wherever it lies. */
import type { Header, UdfSource } from "../../udf.ts";
import { parseSource } from "./ast.ts";
import { candidates } from "./bundle.ts";
import { readImports } from "./source.ts";

/**
 * The source with all files that it imports, directly or through others, as headers.
 * @param read gives a file beside the source, or null where there is none
 * @throws UdfLoadError for a syntax error in one of them
 */
export async function followImports(
  source: UdfSource,
  read: (file: string) => Promise<Header | null>,
): Promise<UdfSource> {
  const headers = new Map(source.headers.map((header) => [header.file, header]));
  const queue: { file: string; code: string }[] = [source];
  for (let module = queue.shift(); module; module = queue.shift()) {
    if (module.file.endsWith(".json")) continue;
    for (const { specifier, typeOnly } of readImports(parseSource(module))) {
      if (typeOnly) continue;
      const files = candidates(module.file, specifier);
      if (files.some((file) => headers.has(file) || file === source.file)) continue;
      for (const file of files) {
        const header = await read(file);
        if (!header) continue;
        headers.set(file, header);
        queue.push(header);
        break;
      }
    }
  }
  return { ...source, headers: [...headers.values()] };
}

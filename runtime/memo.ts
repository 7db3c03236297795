/** Remembering what was computed from a source: the same UDF runs again and again. */
import type { UdfSource } from "./udf.ts";

/** All texts of a source; where one differs, it is another source. */
const textsOf = ({ language, name, file, code, headers, part }: UdfSource): string[] => [
  language,
  name,
  file,
  code,
  ...headers.flatMap((header) => [header.moduleName, header.file, header.code]),
  ...(part ? [part.of, part.entrypoint] : []),
];

/** `compute`, remembered by source object for as long as that lives and its texts stay what they were. */
export function memoBySource<T>(compute: (source: UdfSource) => T): (source: UdfSource) => T {
  const known = new WeakMap<UdfSource, { texts: string[]; result: T }>();
  return (source) => {
    const texts = textsOf(source);
    const kept = known.get(source);
    if (kept?.texts.length === texts.length && kept.texts.every((text, i) => text === texts[i]))
      return kept.result;
    const result = compute(source);
    known.set(source, { texts, result });
    return result;
  };
}

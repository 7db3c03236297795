/** Brings the places in a failure from the compiled code back to the user's source. */
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import type { GuestFailure } from "../../udf.ts";
import { NAMESPACE } from "./bundle.ts";

/** `    at name (file:line:column)` or `    at file:line:column`. */
const FRAME = /^(\s+at (?:.*? \()?)(.+):(\d+):(\d+)(\)?)$/;

/** Lines that are the same are shown three times, as Python does. */
function collapse(lines: readonly string[]): string[] {
  const out: string[] = [];
  let repeats = 0;
  lines.forEach((line, i) => {
    repeats = line === lines[i - 1] ? repeats + 1 : 0;
    if (repeats < 3) out.push(line);
    else if (line !== lines[i + 1]) out.push(`    [previous line repeated ${repeats - 2} more times]`);
  });
  return out;
}

/**
 * A failure with the files, lines and columns of the source that the UDF was compiled from.
 * @param failure as the guest reported it: places are in `failure.file`
 * @param map the source map of `compileTypeScript`, or null
 */
export function mapFailure(failure: GuestFailure, map: string | null): GuestFailure {
  const trace = map === null ? null : new TraceMap(map);
  let first: { file: string; line: number } | null = null;
  const lines: string[] = [];
  for (const line of failure.traceback.split("\n")) {
    const frame = FRAME.exec(line);
    const [, before, file, row, column, after] = frame ?? [];
    if (file === undefined || file !== failure.file) {
      lines.push(line);
      continue;
    }
    const place = { file, line: Number(row), column: Number(column) };
    const original =
      trace && originalPositionFor(trace, { line: place.line, column: Math.max(0, place.column - 1) });
    if (original?.source) {
      place.file = original.source.startsWith(`${NAMESPACE}:`)
        ? original.source.slice(NAMESPACE.length + 1)
        : original.source;
      place.line = original.line;
      place.column = original.column + 1;
    }
    first ??= { file: place.file, line: place.line };
    lines.push(`${before}${place.file}:${place.line}:${place.column}${after}`);
  }
  return {
    ...failure,
    traceback: collapse(lines).join("\n"),
    file: first?.file ?? failure.file,
    line: first?.line ?? failure.line,
  };
}

/**
 * `meta.json`, which Fused writes beside a UDF's source:
 *
 *     {"job_config": {"name", "steps": [{"type": "udf", "udf": {"name", "source": "NAME.py", "headers": [{"module_name", "source_file"}], "entrypoint", "parameters", "metadata"}}]}}
 *
 * Older folders have the step's content at the top.
 */
import { UdfLoadError } from "../../runtime/errors.ts";
import { isRecord } from "../../runtime/record.ts";
import { showText } from "../../runtime/show.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import { FUNCTION_NAME } from "./names.ts";
import { checkPath } from "./paths.ts";

export interface UdfMeta {
  /** Path of the entry file. */
  source: string;
  name: string | undefined;
  /** Path of a header to the name under which it is imported. */
  moduleNames: ReadonlyMap<string, string>;
  metadata: Readonly<Record<string, unknown>>;
  saved: UdfSource["saved"];
}

type Json = Record<string, unknown>;

/**
 * Reads the text of a `meta.json`.
 * @returns null where there is none, or where it is a file of another kind (a header that happens to have this name).
 * @throws UdfLoadError where it is Fused's and broken: no JSON, several steps, an unsafe path.
 */
export function readMeta(text: string | undefined): UdfMeta | null {
  if (text === undefined) return null;
  let meta: unknown;
  try {
    meta = JSON.parse(text);
  } catch (cause) {
    throw new UdfLoadError(`Cannot read meta.json: it is no JSON (${(cause as Error).message})`, { cause });
  }
  if (!isRecord(meta)) return null;
  const config = isRecord(meta.job_config) ? meta.job_config : meta;
  const steps = Array.isArray(config.steps) ? config.steps : [config];
  if (steps.length !== 1) {
    throw new UdfLoadError(`Cannot read meta.json: it has ${steps.length} steps; a UDF's folder has one`);
  }
  const step: unknown = steps[0];
  const udf = isRecord(step) ? (isRecord(step.udf) ? step.udf : step) : {};
  if (typeof udf.source !== "string") return null;
  return {
    source: checkPath(udf.source.replace(/^\.\//, "")),
    name: typeof udf.name === "string" && udf.name !== "" ? udf.name : undefined,
    moduleNames: readModuleNames(udf.headers),
    metadata: isRecord(udf.metadata) ? udf.metadata : {},
    saved: readSaved(udf),
  };
}

function readSaved({ entrypoint, parameters }: Json): UdfSource["saved"] {
  if (typeof entrypoint === "string" && entrypoint !== "" && !FUNCTION_NAME.test(entrypoint))
    throw new UdfLoadError(`Cannot read meta.json: ${showText(entrypoint)} is no name of a function`);
  return {
    ...(typeof entrypoint === "string" && entrypoint !== "" ? { entrypoint } : {}),
    ...(isRecord(parameters) ? { parameters } : {}),
  };
}

function readModuleNames(headers: unknown): Map<string, string> {
  const names = new Map<string, string>();
  if (!Array.isArray(headers)) return names;
  for (const header of headers) {
    if (!isRecord(header)) continue;
    const { module_name: name, source_file: file } = header;
    if (typeof name !== "string") continue;
    if (!/^[\w$-]+(\.[\w$-]+)*$/u.test(name)) {
      throw new UdfLoadError(`Cannot read meta.json: ${JSON.stringify(name)} is no module name`);
    }
    names.set(checkPath(typeof file === "string" ? file.replace(/^\.\//, "") : `${name}.py`), name);
  }
  return names;
}

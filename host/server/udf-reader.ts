/** UDFs that come with the request that runs them: the same text is the same source again, which was hashed and compiled before. */
import { UdfLoadError } from "../../runtime/errors.ts";
import { isRecord } from "../../runtime/record.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import { exactly } from "./exact-json.ts";
import { RecentMap } from "./recent-map.ts";
import { type Fields, readBody, sourceFromFields, UDF_ID } from "./udf-body.ts";

/** A UDF that somebody sent to be run. */
export interface SentUdf {
  source: UdfSource;
  parameters: Readonly<Record<string, unknown>>;
  /** The id under which it is saved, as its sender says. */
  savedId: string | null;
}

/** Sources that are remembered, and the characters of them together. */
const MOST_SOURCES = 1000;
const MOST_CHARACTERS = 64 * 1024 * 1024;

/**
 * Makes a function that reads a step's text (`step_config`): `{"type": "udf", "udf": {…}}`.
 * It throws UdfLoadError for what is no step, and for a UDF that is none.
 */
export function stepReader(): (text: string) => SentUdf {
  const known = new RecentMap<UdfSource>({ entries: MOST_SOURCES, weight: MOST_CHARACTERS });
  const remembered = (source: UdfSource): UdfSource => {
    const key = JSON.stringify(source);
    const found = known.get(key);
    if (found) return found;
    known.set(key, source, key.length);
    return source;
  };
  return (text) => {
    const udf = udfOf(text);
    const { saved: { parameters: _, ...saved } = {}, ...rest } = sourceFromFields(udf, "udf");
    const id = rest.metadata[UDF_ID];
    return {
      source: remembered({ ...rest, saved }),
      parameters: parametersOf(udf, text),
      savedId: typeof id === "string" && id !== "" ? id : null,
    };
  };
}

/** The values for a step's parameters; integers with all their digits, and floats as floats. */
function parametersOf({ parameters }: Fields, text: string): Fields {
  if (!isRecord(parameters)) return {};
  return exactly({ udf: { parameters } }, text).udf.parameters;
}

function udfOf(text: string): Fields {
  const { type, udf } = readBody(text, "step_config");
  if (type === "udf" && isRecord(udf)) return udf;
  throw new UdfLoadError('Cannot read the UDF: step_config must be {"type": "udf", "udf": {…}}');
}

/**
 * A UDF as the wire has it, in `udf_body` and in the steps of runs and jobs:
 *
 *     {"name", "code", "entrypoint", "headers": [{"module_name", "source_code", "source_file"}], "parameters", "metadata",
 *      "collection_name", "type": "geopandas_v2", …}
 *
 * A TypeScript UDF is one too, with `"fuselet:language": "typescript"` in its metadata.
 */
import { UdfLoadError } from "../../runtime/errors.ts";
import { isRecord } from "../../runtime/record.ts";
import { showText } from "../../runtime/show.ts";
import type { Header, Language, UdfSource } from "../../runtime/udf.ts";
import { FUNCTION_NAME, MODULE_NAME } from "../udfs/names.ts";
import { isSourcePath, unsafePath } from "../udfs/paths.ts";
import { detectLanguage, SOURCE_LIMITS, sourceFromText } from "../udfs/source.ts";
import { DEFAULT } from "./collections.ts";
import { exactly, parseExact, stringifyExact } from "./exact-json.ts";
import { jsonProblem } from "./json-size.ts";
import { isName } from "./names.ts";

/** Where the metadata says as what it is saved. */
export const UDF_ID = "fused:id";
/** Where the metadata says which language the code is, if it is not Python. */
export const LANGUAGE = "fuselet:language";

export type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the text of a UDF's body.
 * @param otherwise its name where the body has none @param collection that it is saved in; default: what the body says
 * @throws UdfLoadError that says what is wrong with it; UsageError for a name that is none
 */
export function sourceFromBody(text: string, otherwise: string, collection?: string): UdfSource {
  const body = readBody(text);
  return sourceFromFields(
    collection === undefined ? body : { ...body, collection_name: collection },
    otherwise,
  );
}

/**
 * The same for one that is parsed already. What it says of its results' age is `metadata.cacheMaxAge`: seconds, or null where its
 * sender has read it and it says nothing.
 */
export function sourceFromFields(body: Fields, otherwise: string): UdfSource {
  const { name, code, entrypoint, headers, parameters, cache_max_age: age, collection_name: place } = body;
  if (typeof code !== "string") throw wrong("its code must be a text");
  const metadata = isRecord(body.metadata) ? body.metadata : {};
  const language = languageOf(metadata, code);
  const source = sourceFromText(code, {
    name: typeof name === "string" && name !== "" ? name : otherwise,
    language,
  });
  if (entrypoint !== undefined && entrypoint !== null && typeof entrypoint !== "string")
    throw wrong("its entrypoint must be a text");
  if (entrypoint && !FUNCTION_NAME.test(entrypoint))
    throw wrong(`${showText(entrypoint, 200)} is no name of a function`);
  if (age !== undefined && age !== null && !(Number.isSafeInteger(age) && (age as number) >= 0))
    throw wrong("its cache_max_age must be a number of seconds");
  return {
    ...source,
    headers: readHeaders(headers, language),
    metadata: age === undefined ? metadata : { ...metadata, cacheMaxAge: age },
    saved: {
      ...(entrypoint ? { entrypoint } : {}),
      ...(isRecord(parameters) ? { parameters } : {}),
    },
    ...(typeof place === "string" && isName(place) && place !== DEFAULT ? { collection: place } : {}),
  };
}

/** The text of a body without the id in its metadata: clients would take a copy for what it is a copy of, and save over that or delete it. */
export function withoutId(text: string): string {
  const body = parseExact(text) as { metadata: Record<string, unknown> };
  delete body.metadata[UDF_ID];
  return stringifyExact(body);
}

/** What a body says, as other clients read it too. @param entrypoint the function to run */
export function fieldsOf({ name, language, code, headers, metadata, saved }: UdfSource, entrypoint: string) {
  return {
    name,
    type: "geopandas_v2",
    code,
    headers: headers.map(({ moduleName, code, file }) => ({
      module_name: moduleName,
      source_code: code,
      source_file: file,
    })),
    metadata: language === "python" ? metadata : { ...metadata, [LANGUAGE]: language },
    entrypoint,
    parameters: saved?.parameters ?? {},
  };
}

/** The text of such a body. */
export const bodyOf = (source: UdfSource, entrypoint: string): string =>
  stringifyExact(fieldsOf(source, entrypoint));

/** @throws UdfLoadError where the text is no JSON object, or too large a one */
export function readBody(text: string, what = "its body"): Fields {
  const problem = jsonProblem(text);
  if (problem !== null) throw wrong(`in ${what}, ${problem}`);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw wrong(`${what} is no JSON (${(cause as Error).message})`, cause);
  }
  if (!isRecord(body)) throw wrong(`${what} must be an object`);
  return isRecord(body.parameters) ? { ...body, parameters: exactly<Fields>(body, text).parameters } : body;
}

function languageOf(metadata: Fields, code: string): Language {
  const said = metadata[LANGUAGE];
  if (said === undefined) return detectLanguage(code) ?? "python";
  if (said === "python" || said === "typescript") return said;
  throw wrong(`${LANGUAGE} must be "python" or "typescript"`);
}

/** Where a header was on its author's machine says nothing here, unless it is a path beside the UDF. */
function readHeaders(value: unknown, language: Language): Header[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > SOURCE_LIMITS.files)
    throw wrong(`its headers must be a list of at most ${SOURCE_LIMITS.files}`);
  const seen = new Set<string>();
  let total = 0;
  return value.map((header, at): Header => {
    const { module_name: name, source_code: code, source_file: given } = isRecord(header) ? header : {};
    if (
      typeof name !== "string" ||
      !(MODULE_NAME.test(name) || (language === "typescript" && !unsafePath(name)))
    )
      throw wrong(`headers[${at}].module_name must be the name of a module`);
    if (typeof code !== "string") throw wrong(`the header ${showText(name, 200)} has no source_code`);
    total += code.length;
    if (total > SOURCE_LIMITS.totalBytes) throw wrong("its headers are too large");
    const plain =
      language === "python"
        ? `${name.replaceAll(".", "/")}.py`
        : name + (name.endsWith(".json") ? "" : ".ts");
    const file = typeof given === "string" && !unsafePath(given) && isSourcePath(given) ? given : plain;
    if (seen.has(name) || seen.has(file)) throw wrong(`it has the header ${showText(name, 200)} twice`);
    seen.add(name).add(file);
    return { moduleName: name, code, file };
  });
}

const wrong = (why: string, cause?: unknown) =>
  new UdfLoadError(`Cannot read the UDF: ${why}`, cause === undefined ? {} : { cause });

/** A part of a UDF, as its own run hands it over to be run in further isolates: checked on arrival. */
import { UsageError } from "../../runtime/errors.ts";
import { isRecord } from "../../runtime/record.ts";
import type { Header, UdfSource } from "../../runtime/udf.ts";
import { MODULE_NAME } from "./names.ts";
import { unsafePath } from "./paths.ts";
import { checkName, SOURCE_LIMITS } from "./source.ts";

/** A name that Python can give to a function. */
const FUNCTION = /^[\p{L}_][\p{L}\p{N}_]{0,199}$/u;

/**
 * Reads `{name, code, file, entrypoint, headers: [{moduleName, code, file}]}`.
 * @param whole the UDF whose run sent it @param hash of that
 * @throws UsageError that names the field
 */
export function readPart(value: unknown, whole: UdfSource, hash: string): UdfSource {
  const { name, code, file, entrypoint, headers = [] } = record(value, "it");
  if (!Array.isArray(headers) || headers.length > SOURCE_LIMITS.files)
    throw wrong(`headers must be a list of at most ${SOURCE_LIMITS.files}`);
  const source: UdfSource = {
    name: checkName(text(name, "name")),
    language: "python",
    code: text(code, "code"),
    file: path(file, "file"),
    headers: headers.map((header, at): Header => {
      const { moduleName, code, file } = record(header, `headers[${at}]`);
      return {
        moduleName: matching(moduleName, MODULE_NAME, `headers[${at}].moduleName`, "a module"),
        code: text(code, `headers[${at}].code`),
        file: path(file, `headers[${at}].file`),
      };
    }),
    metadata: {},
    ...(whole.collection === undefined ? {} : { collection: whole.collection }),
    part: {
      ...(whole.part ?? { whole, of: hash }),
      entrypoint: matching(entrypoint, FUNCTION, "entrypoint", "a function"),
    },
  };
  if (sizeOf(source) > SOURCE_LIMITS.totalBytes)
    throw wrong(`its source is larger than ${SOURCE_LIMITS.totalBytes / 2 ** 20} MB`);
  return source;
}

/** The characters of all its texts. */
export function sizeOf({ code, headers }: UdfSource): number {
  return headers.reduce((sum, header) => sum + header.code.length, code.length);
}

const wrong = (rule: string) => new UsageError(`Cannot run a part of a UDF: ${rule}`);

function record(value: unknown, field: string): Record<string, unknown> {
  if (!isRecord(value)) throw wrong(`${field} must be an object`);
  return value;
}

function text(value: unknown, field: string): string {
  if (typeof value !== "string") throw wrong(`${field} must be a text: received ${typeof value}`);
  if (value.length > SOURCE_LIMITS.fileBytes)
    throw wrong(`${field} is larger than ${SOURCE_LIMITS.fileBytes / 2 ** 20} MB`);
  return value;
}

function path(value: unknown, field: string): string {
  const found = text(value, field);
  const why = unsafePath(found);
  if (why !== null)
    throw wrong(`${field} ${JSON.stringify(found.slice(0, 200))} is no path of a file: ${why}`);
  return found;
}

function matching(value: unknown, rule: RegExp, field: string, noun: string): string {
  const found = text(value, field);
  if (!rule.test(found))
    throw wrong(`${field} must be the name of ${noun}: received ${JSON.stringify(found.slice(0, 200))}`);
  return found;
}

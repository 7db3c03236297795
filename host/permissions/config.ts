/**
 * The configuration file, `fuselet.json` or `fuselet.toml`: named sets of permissions, and where decisions are logged.
 *
 *     {
 *       "permissions": {
 *         "default": { "net": ["api.example.org"], "deny": { "net": ["169.254.0.0/16"] } },
 *         "read-data": { "read": ["./data", "s3://bucket/prefix"] }
 *       },
 *       "auditLog": "./decisions.jsonl"
 *     }
 *
 * Paths without a scheme that do not begin with `/` are relative to the file's folder. A set is in force only where it is asked for.
 */
import { UsageError } from "../../runtime/errors.ts";
import { isRecord } from "../../runtime/record.ts";
import { checkPermissions, type Permissions } from "./descriptor.ts";

export interface Config {
  sets: ReadonlyMap<string, Permissions>;
  /** As a path; undefined where decisions are not logged. */
  auditLog: string | undefined;
}

/** Where a text comes from. */
export interface ConfigFile {
  /** As messages call it. */
  name: string;
  /** The absolute path of its folder, with slashes. */
  folder: string;
}

const KEYS = ["$schema", "permissions", "auditLog"];

/** What a set may be called. */
export const SET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Reads the text of a configuration file; what ends in `.toml` is TOML, all else JSON.
 * @throws UsageError that names the file, the place and the value
 */
export async function parseConfig(text: string, file: ConfigFile): Promise<Config> {
  const content = file.name.endsWith(".toml") ? await parseToml(text, file) : parseJson(text, file);
  if (!isRecord(content)) throw new UsageError(`Cannot use ${file.name}: it must hold an object`);
  for (const key of Object.keys(content)) {
    if (!KEYS.includes(key)) {
      throw new UsageError(
        `Cannot use ${file.name}: ${JSON.stringify(key)} is unknown; names are ${KEYS.join(", ")}`,
      );
    }
  }
  const { permissions = {}, auditLog } = content;
  if (!isRecord(permissions)) {
    throw new UsageError(`Cannot use ${file.name}: permissions must be an object: a set for each name`);
  }
  if (auditLog !== undefined && (typeof auditLog !== "string" || auditLog === "")) {
    throw new UsageError(
      `Cannot use ${file.name}: auditLog must be the path of a file: received ${JSON.stringify(auditLog)}`,
    );
  }
  const sets = Object.entries(permissions).map(([name, set]): [string, Permissions] => {
    if (!SET_NAME.test(name)) {
      throw new UsageError(
        `Cannot use ${file.name}: permissions has the name ${JSON.stringify(name)}; write letters, digits, dots, - and _`,
      );
    }
    return [name, checkPermissions(fromFolder(set, file.folder), `${file.name}: permissions.${name}`)];
  });
  return {
    sets: new Map(sets),
    auditLog: auditLog === undefined ? undefined : resolvePath(auditLog, file.folder),
  };
}

function parseJson(text: string, { name }: ConfigFile): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`Cannot use ${name}: it is no JSON: ${(error as Error).message}`);
  }
}

async function parseToml(text: string, { name }: ConfigFile): Promise<unknown> {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [why = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw new UsageError(
      `Cannot use ${name}: it is no TOML: line ${error.line}, column ${error.column}: ${why}`,
    );
  }
}

/** A set with the prefixes of `read` and `write` made absolute; all else is as it was. */
function fromFolder(set: unknown, folder: string): unknown {
  if (!isRecord(set)) return set;
  const out: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(set)) {
    const isPaths = (name === "read" || name === "write") && Array.isArray(value);
    if (isPaths) {
      out[name] = value.map((path: unknown) => (typeof path === "string" ? resolvePath(path, folder) : path));
    } else out[name] = name === "deny" ? fromFolder(value, folder) : value;
  }
  return out;
}

/** `./a`, `../a` and `a` from a folder; what is absolute, has a scheme, or is empty stays. */
function resolvePath(path: string, folder: string): string {
  if (path === "" || path.startsWith("/") || /^[a-z][a-z0-9+.-]*:/i.test(path)) return path;
  const parts = folder.split("/");
  let rest = path;
  for (let step = /^(\.\.?)(\/|$)/.exec(rest); step; step = /^(\.\.?)(\/|$)/.exec(rest)) {
    if (step[1] === ".." && parts.length > 1) parts.pop();
    rest = rest.slice(step[0].length);
  }
  const start = parts.join("/");
  return rest === "" ? start || "/" : `${start === "/" ? "" : start}/${rest}`;
}

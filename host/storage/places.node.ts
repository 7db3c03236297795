/** Which real files places of `fd://` and `file://` may lead to. Made anew for each operation. */
import { createHash } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { once } from "../../runtime/once.ts";
import { storage } from "../permissions/storage.ts";
import { isDenied } from "./denied.ts";
import type { StorageCall } from "./driver.ts";
import { StorageError } from "./errors.ts";
import { type Location, locationUrl } from "./location.ts";

export interface Place {
  /**
   * Where a location would be if there were no links.
   * @throws StorageError "access" where no UDF may look whether there is something
   */
  pathOf(location: Location): Promise<string>;
  /**
   * Decides about what a location has led to: if that is another place, it is asked for, too.
   * @param real where that is, or will be, without links
   * @throws StorageError "access", PermissionDeniedError
   */
  admit(real: string, location: Location, permission: "read" | "write"): Promise<void>;
  /** Whether a list leaves out what lies here, in a folder that was admitted. */
  hides(real: string): Promise<boolean>;
  /** Whether a list shows what a link leads to. Nobody is asked. */
  shows(real: string): Promise<boolean>;
  /** Whether something below is no place of the storage, whatever is granted. */
  hasClosed(real: string): Promise<boolean>;
  /** Whether a location is all of a storage that the host gave a folder: no file, and not to be deleted. */
  isWhole(location: Location): boolean;
  /** Makes what must be there before something is written. */
  prepare(): Promise<void>;
  /** For new files. */
  readonly mode: number;
}

/** The folder of a principal. Names that are safe and short on every system are kept, so that a person finds them. */
export function ownerFolder(folder: string, principal: string): string {
  const isPlain = /^[a-z0-9][a-z0-9_-]{0,40}$/.test(principal);
  return join(
    folder,
    isPlain ? principal : `~${createHash("sha256").update(principal).digest("hex").slice(0, 40)}`,
  );
}

/** `fd://`: a principal's own folder. */
export function ownPlace(root: string, call: StorageCall): Place {
  return folderPlace(async () => root, "fd://", call);
}

/** What `file:///mount` is on a server: a folder that the owner's team shares. */
export const MOUNT = "/mount";

export function mountPlace(root: () => Promise<string>, call: StorageCall): Place {
  return folderPlace(root, MOUNT, call);
}

/** A folder of the host under a name of its own. Links in it may lead to what lies in it. */
function folderPlace(root: () => Promise<string>, name: string, call: StorageCall): Place {
  const realRoot = once(async () => realpath(await root()));
  const base = name.endsWith("/") ? name : `${name}/`;
  const restOf = (value: string) =>
    value === name ? "" : value.startsWith(base) ? value.slice(base.length) : null;
  return {
    ...decisions(call, {
      nameFor: async (real) => {
        const rest = remainder(real, await realRoot());
        return rest === "" ? name : rest && `${base}${rest}`;
      },
      refusal: "a link leads out of the storage",
      async pathOfRule(rule) {
        const rest = restOf(rule);
        return rest === null ? null : join(await root(), rest);
      },
    }),
    mode: 0o600,
    pathOf: async ({ value }) => join(await root(), restOf(value) as string),
    hasClosed: async () => false,
    isWhole: ({ value }) => value === name,
    async prepare() {
      await mkdir(await root(), { recursive: true, mode: 0o700 });
    },
  };
}

/** The system's own doors, which only look like files. */
const SYSTEM = ["/proc", "/sys", "/dev"];
const CLOSED = "it belongs to the system, or to the host itself";

/**
 * The file system as it was granted. A link may lead to what is granted as well.
 * @param closed folders of the host itself, which hold keys and grants
 */
export function grantedPlace(closed: readonly string[], call: StorageCall): Place {
  const closedFolders = once(async () => [
    ...SYSTEM,
    ...(await Promise.all(closed.map((folder) => realpath(folder).catch(() => folder)))),
  ]);
  const isClosed = async (path: string) =>
    [...closed, ...(await closedFolders())].some((folder) => remainder(path, folder) !== null);
  return {
    ...decisions(call, {
      nameFor: async (real) => ((await isClosed(real)) ? null : real),
      refusal: CLOSED,
      pathOfRule: async (rule) => (rule.startsWith("/") ? rule : null),
    }),
    mode: 0o666,
    isWhole: () => false,
    async pathOf({ value }) {
      if (await isClosed(value)) throw new StorageError("access", `Cannot use file://${value}: ${CLOSED}`);
      if (process.platform === "win32")
        throw new StorageError(
          "config",
          "Cannot use file://: this version does not know the paths of Windows",
        );
      return value;
    },
    hasClosed: async (real) => (await closedFolders()).some((folder) => remainder(folder, real) !== null),
    async prepare() {},
  };
}

interface Rules {
  /** What a real path is called when it is asked for; null where it is no place of this storage. */
  nameFor(real: string): Promise<string | null>;
  /** Why a path that has no name is refused. */
  refusal: string;
  /** The path that a rule means; null where it is one for another storage. */
  pathOfRule(rule: string): Promise<string | null>;
}

function decisions(
  call: StorageCall,
  { nameFor, refusal, pathOfRule }: Rules,
): Pick<Place, "admit" | "hides" | "shows"> {
  /** A deny rule holds for what the name in it leads to, too. */
  const denyingRule = async (permission: "read" | "write", real: string): Promise<string | null> => {
    const rules = call.permissions.deny?.[permission];
    for (const rule of Array.isArray(rules) ? (rules as string[]) : []) {
      const path = await pathOfRule(rule);
      const denied = path === null ? null : await realpath(path).catch(() => null);
      if (denied !== null && remainder(real, denied) !== null) return rule;
    }
    return null;
  };
  const hides = async (real: string) => {
    const value = await nameFor(real);
    return value === null || isDenied(call, "read", value) || (await denyingRule("read", real)) !== null;
  };
  return {
    async admit(real, location, permission) {
      const value = await nameFor(real);
      if (value === null) throw new StorageError("access", `Cannot use ${locationUrl(location)}: ${refusal}`);
      if (value !== location.value) await call.require(permission, value);
      const rule = await denyingRule(permission, real);
      if (rule !== null) await call.require(permission, rule);
    },
    hides,
    async shows(real) {
      const value = await nameFor(real);
      const { read } = call.permissions;
      const isGranted =
        value !== null &&
        storage.canonical(value) === value &&
        (read === true || (Array.isArray(read) && read.some((rule: string) => storage.allows(rule, value))));
      return isGranted && !(await hides(real));
    },
  };
}

/** What follows a folder in a path that is the folder or lies below it; null for others. */
function remainder(path: string, folder: string): string | null {
  if (path === folder) return "";
  const base = folder.endsWith("/") ? folder : `${folder}/`;
  return path.startsWith(base) ? path.slice(base.length) : null;
}

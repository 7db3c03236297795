/** Files that the server itself writes to the folder of a user, such as results of jobs. */
import { UsageError } from "../../runtime/errors.ts";
import type { StorageCall } from "../storage/driver.ts";
import { parseLocation } from "../storage/location.ts";
import type { OwnFiles } from "./job-results.ts";
import type { ServerParts } from "./parts.ts";

/** How long a URL can be used. */
const SIGNED_SECONDS = 3600;

/** @throws UsageError where this server has no `fd://` */
export function openOwnFiles({ fd }: ServerParts["drivers"]): OwnFiles {
  if (!fd) throw new UsageError("Cannot keep results of jobs: this server has no storage fd://");
  const driverOf = (owner: string) => fd(callOf(owner));
  return {
    async write(owner, path, bytes) {
      const upload = await driverOf(owner.id).write(parseLocation(path), {
        contentType: null,
        ifNoneMatch: false,
      });
      try {
        await upload.write(bytes);
        await upload.commit();
      } catch (error) {
        await upload.abort();
        throw error;
      }
    },
    sign: (owner, path) =>
      driverOf(owner.id).sign(parseLocation(path), { method: "GET", expiresSeconds: SIGNED_SECONDS }),
  };
}

/** The server acts for itself: it needs no grants, and gets none for what lies elsewhere. */
function callOf(owner: string): StorageCall {
  return {
    principal: owner,
    owner,
    permissions: {},
    signal: new AbortController().signal,
    taken: async () => undefined,
    async require(permission, value) {
      throw new UsageError(`Cannot use ${value}: the server asks for no ${permission}`);
    },
  };
}

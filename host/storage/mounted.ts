/** A storage that has another one at one of its folders. */
import type { Driver } from "./driver.ts";
import type { Location } from "./location.ts";

/** @param at the folder, as the broker is asked for it @param mounted what is there @param rest all else */
export function mountedDriver(at: string, mounted: Required<Driver>, rest: Required<Driver>): Driver {
  const driverOf = ({ value }: Location) => (value === at || value.startsWith(`${at}/`) ? mounted : rest);
  return {
    list: (folder, options) => driverOf(folder).list(folder, options),
    head: (location) => driverOf(location).head(location),
    get: (location, options) => driverOf(location).get(location, options),
    open: (location) => driverOf(location).open(location),
    write: (location, options) => driverOf(location).write(location, options),
    delete: (location) => driverOf(location).delete(location),
    deleteFolder: (folder, maxDepth) => driverOf(folder).deleteFolder(folder, maxDepth),
    sign: (location, options) => driverOf(location).sign(location, options),
  };
}

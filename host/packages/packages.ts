/** Packages from elsewhere: which index and registry a runtime asks, and the permission that it takes. */
import type { Assets } from "../../runtime/assets.ts";
import { UsageError } from "../../runtime/errors.ts";
import { once } from "../../runtime/once.ts";
import type { NpmRegistry, PackageCaller, PythonIndex } from "../../runtime/packages.ts";
import type { Guard } from "../net/guard.ts";
import { type Broker, denialOf } from "../permissions/broker.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import type { FetchLimits, Home } from "./fetch.ts";

/** Where packages are fetched from. */
export interface PackageOptions {
  /**
   * The one index of Python packages: its Simple API. With a user name and a password (`https://USER:PASSWORD@HOST/simple`) they are sent to
   * its origin only, and are in no message, lock file or key. Default: none, so that no package comes from an index.
   */
  index?: string;
  /** Where the files of Pyodide's distributions lie, in `vVERSION/full/`. Default: `https://cdn.jsdelivr.net/pyodide/`. */
  pyodide?: string;
  /** The one registry of npm packages; a user name and a password as for `index`. Default: none. */
  npmRegistry?: string;
}

const DEFAULTS: Record<keyof PackageOptions, string | null> = {
  index: null,
  pyodide: "https://cdn.jsdelivr.net/pyodide/",
  npmRegistry: null,
};

/** @throws UsageError for an unknown option, or one that is no http or https URL; it does not show what stands before the host */
export async function checkPackageOptions(options: PackageOptions = {}): Promise<{
  index: Home | null;
  pyodide: Home;
  npmRegistry: Home | null;
}> {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw new UsageError(
        `Cannot create a runtime: packages.${name} is unknown; options are ${Object.keys(DEFAULTS).join(", ")}`,
      );
    }
  }
  const read = async (name: keyof PackageOptions): Promise<Home | null> => {
    const text = options[name] ?? DEFAULTS[name];
    if (text === null) return null;
    const fail = (rule: string) =>
      new UsageError(
        `Cannot create a runtime: packages.${name} must be ${rule}: received ${JSON.stringify(text.replace(/\/\/.*@/s, "//…@"))}`,
      );
    const url = URL.canParse(text) ? new URL(text.endsWith("/") ? text : `${text}/`) : null;
    if (!url || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
      throw fail("an http or https URL without query and fragment");
    if (url.username === "" && url.password === "") return { url, authorization: null };
    // Most have none: no need to load what tells addresses apart.
    const { isThisMachine } = await import("../net/address-policy.ts");
    if (url.protocol !== "https:" && !isThisMachine(url.hostname.replace(/^\[|\]$/g, "")))
      throw fail("an https URL, or one of this machine, where it has a user name or a password");
    let authorization: string;
    try {
      authorization = basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
    } catch {
      throw fail("a URL whose user name and password are percent-encoded UTF-8");
    }
    url.username = "";
    url.password = "";
    return { url, authorization };
  };
  return {
    index: await read("index"),
    pyodide: (await read("pyodide")) as Home,
    npmRegistry: await read("npmRegistry"),
  };
}

/** A header of Basic authentication, in UTF-8. Source: RFC 7617 */
function basic(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
}

/** As lock files and messages call a place. */
export const nameOf = (place: Home | null): string => place?.url.href.replace(/\/$/, "") ?? "none";

export interface OpenPackagesOptions {
  options: PackageOptions | undefined;
  assets: Assets;
  broker: Broker;
  /** The guarded fetch, opened when something is fetched first. */
  openGuard(): Promise<Guard>;
  limits: FetchLimits;
}

/** @throws UsageError for options that are wrong */
export async function openPackages({
  options,
  assets,
  broker,
  openGuard,
  limits,
}: OpenPackagesOptions): Promise<{ python: PythonIndex; npm: NpmRegistry }> {
  const { index, pyodide, npmRegistry } = await checkPackageOptions(options);
  const callers = new WeakMap<PackageCaller, { runId: string; granted: Set<string> }>();
  const requireFor = (prefix: string) => async (name: string, caller: PackageCaller) => {
    const { principal, udf, permissions, isNested, signal } = caller;
    const known = callers.get(caller) ?? { runId: crypto.randomUUID(), granted: new Set() };
    callers.set(caller, known);
    const value = `${prefix}${name}`;
    // To find a package and to fetch it is one thing that is asked for.
    if (known.granted.has(value)) return;
    if (caller.ask) await caller.ask(value);
    else {
      await broker.require("import", value, {
        principal,
        udf,
        runId: known.runId,
        permissions: permissions as Permissions,
        isNested,
        ...(signal ? { signal } : {}),
      });
    }
    known.granted.add(value);
  };
  const refuse = (name: string, { principal, udf, permissions, isNested }: PackageCaller) => {
    const caller = { principal, udf, runId: "", permissions: permissions as Permissions, isNested };
    const decision = broker.query("import", name, caller);
    if (!decision.allowed && decision.reason !== "not granted") throw denialOf(decision);
  };
  const { cache, sha256 } = assets;
  // What fetches is loaded when something is: most runs never do.
  const openPython = once(async () => {
    const [{ openPythonIndex }, { documentFetch }] = await Promise.all([
      import("./python-index.ts"),
      import("./fetch.ts"),
    ]);
    const fetch = documentFetch(openGuard, limits);
    return openPythonIndex({ index, pyodide, fetch, require: requireFor(""), refuse, cache, sha256 });
  });
  const openNpm = once(async () => {
    const [{ openNpmRegistry }, { documentFetch }] = await Promise.all([
      import("./npm-registry.ts"),
      import("./fetch.ts"),
    ]);
    const fetch = documentFetch(openGuard, limits);
    return openNpmRegistry({ registry: npmRegistry, fetch, require: requireFor("npm:"), cache, sha256 });
  });
  return {
    python: {
      url: nameOf(index),
      require: requireFor(""),
      refuse,
      find: async (...args) => (await openPython()).find(...args),
      metadata: async (...args) => (await openPython()).metadata(...args),
      read: async (...args) => (await openPython()).read(...args),
      kept: async (...args) => (await openPython()).kept(...args),
      readOfDistribution: async (...args) => (await openPython()).readOfDistribution(...args),
    },
    npm: {
      url: nameOf(npmRegistry),
      require: requireFor("npm:"),
      find: async (...args) => (await openNpm()).find(...args),
      read: async (...args) => (await openNpm()).read(...args),
      kept: async (...args) => (await openNpm()).kept(...args),
    },
  };
}

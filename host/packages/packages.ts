/** Packages from elsewhere: which index and registry a runtime asks, and the permission that it takes. */
import type { Assets } from "../../runtime/assets.ts";
import { UsageError } from "../../runtime/errors.ts";
import { once } from "../../runtime/once.ts";
import type { NpmRegistry, PackageCaller, PythonIndex } from "../../runtime/packages.ts";
import type { Guard } from "../net/guard.ts";
import { type Broker, denialOf } from "../permissions/broker.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import type { FetchLimits } from "./fetch.ts";

/** Where packages are fetched from. */
export interface PackageOptions {
  /** The one index of Python packages: its Simple API. Default: none, so that no package comes from an index. */
  index?: string;
  /** Where the files of Pyodide's distributions lie, in `vVERSION/full/`. Default: `https://cdn.jsdelivr.net/pyodide/`. */
  pyodide?: string;
  /** The one registry of npm packages. Default: none. */
  npmRegistry?: string;
}

const DEFAULTS: Record<keyof PackageOptions, string | null> = {
  index: null,
  pyodide: "https://cdn.jsdelivr.net/pyodide/",
  npmRegistry: null,
};

/** @throws UsageError for an unknown option, or one that is no http or https URL */
export function checkPackageOptions(options: PackageOptions = {}): {
  index: URL | null;
  pyodide: URL;
  npmRegistry: URL | null;
} {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw new UsageError(
        `Cannot create a runtime: packages.${name} is unknown; options are ${Object.keys(DEFAULTS).join(", ")}`,
      );
    }
  }
  const read = (name: keyof PackageOptions): URL | null => {
    const text = options[name] ?? DEFAULTS[name];
    if (text === null) return null;
    const url = URL.canParse(text) ? new URL(text.endsWith("/") ? text : `${text}/`) : null;
    if (
      !url ||
      !/^https?:$/.test(url.protocol) ||
      url.username !== "" ||
      url.password !== "" ||
      url.search !== "" ||
      url.hash !== ""
    ) {
      throw new UsageError(
        `Cannot create a runtime: packages.${name} must be an http or https URL without a user name, query and fragment: received ${JSON.stringify(text)}`,
      );
    }
    return url;
  };
  return { index: read("index"), pyodide: read("pyodide") as URL, npmRegistry: read("npmRegistry") };
}

/** As lock files and messages call a place. */
export const nameOf = (place: URL | null): string => place?.href.replace(/\/$/, "") ?? "none";

export interface OpenPackagesOptions {
  options: PackageOptions | undefined;
  assets: Assets;
  broker: Broker;
  /** The guarded fetch, opened when something is fetched first. */
  openGuard(): Promise<Guard>;
  limits: FetchLimits;
}

/** @throws UsageError for options that are wrong */
export function openPackages({ options, assets, broker, openGuard, limits }: OpenPackagesOptions): {
  python: PythonIndex;
  npm: NpmRegistry;
} {
  const { index, pyodide, npmRegistry } = checkPackageOptions(options);
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
      readOfDistribution: async (...args) => (await openPython()).readOfDistribution(...args),
    },
    npm: {
      url: nameOf(npmRegistry),
      require: requireFor("npm:"),
      find: async (...args) => (await openNpm()).find(...args),
      read: async (...args) => (await openNpm()).read(...args),
    },
  };
}

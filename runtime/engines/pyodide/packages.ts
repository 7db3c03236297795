/** Python packages: what is known of an interpreter, and what a place has for a name. */
import { compare, satisfies, validRange } from "@renovatebot/pep440";
import { AssetError } from "../../errors.ts";
import type { LockedPackage } from "../../lock-file.ts";
import {
  applies,
  type MarkerEnvironment,
  parseRequirement,
  type Requirement,
  RequirementError,
} from "./packages-requirement.ts";

/** What has to be known of a Python to choose packages for it. */
export interface Interpreter {
  /** What to call it in messages. */
  label: string;
  /** `3.12.7` */
  python: string;
  /** `2024_0` */
  abi: string;
  /** The platform tags of wheels that it can load, beside `any`. */
  platformTags: readonly string[];
  /** For markers. */
  environment: MarkerEnvironment;
}

/** `info` of pyodide-lock.json. */
export interface DistributionInfo {
  python: string;
  /** `emscripten_3_1_58` */
  platform: string;
  abi_version?: string;
  arch?: string;
  /** Pyodide's own; later lock files leave it out. */
  version?: string;
  [key: string]: unknown;
}

/** @param label what to call it in messages */
export function interpreterOf(info: DistributionInfo, label: string): Interpreter {
  const { python, platform, abi_version: abi = "", arch = "wasm32" } = info;
  return {
    label,
    python,
    abi,
    platformTags: [
      // PEP 783 calls them pyemscripten; before, they were called pyodide, and at first by the version of Emscripten.
      ...(abi === "" ? [] : [`pyemscripten_${abi}_${arch}`, `pyodide_${abi}_${arch}`]),
      `${platform.replaceAll(".", "_")}_${arch}`,
    ],
    environment: {
      os_name: "posix",
      sys_platform: "emscripten",
      platform_machine: arch,
      platform_python_implementation: "CPython",
      platform_release: platform.replace(/^emscripten_/, "").replaceAll("_", "."),
      platform_system: "Emscripten",
      platform_version: "#1",
      python_version: python.split(".").slice(0, 2).join("."),
      python_full_version: python,
      implementation_name: "cpython",
      implementation_version: python,
    },
  };
}

/** A file that a package can be installed from. */
export interface Candidate {
  name: string;
  version: string;
  /** Whether it has no code for a platform. */
  isPure: boolean;
  /** Whether a pre-release counts where nobody has named one: it does where somebody has put the file there. */
  prereleases: boolean;
  /** What it needs here, with these extras. */
  requires(extras: readonly string[]): Promise<readonly Requirement[]>;
  /** The file as a lock file names it; it may have to be fetched for that. */
  lock(): Promise<Omit<LockedPackage, "depends">>;
}

/** What a place has for a name. */
export interface Offer {
  /** What to call the place in messages. */
  place: string;
  /** Best first. */
  candidates: readonly Candidate[];
  /** Files that cannot be used, each with the reason. */
  refused: readonly string[];
}

/** Newest first; of one version, what was made for this platform before what has no code for any. */
export function byPreference(
  a: { version: string; isPure: boolean },
  b: { version: string; isPure: boolean },
): number {
  return compare(b.version, a.version) || Number(a.isPure) - Number(b.isPure);
}

/** Nobody requires more. */
const MOST_REQUIREMENTS = 1000;
/** Longer texts are nobody's version specifiers. */
const MOST_SPECIFIER_CHARACTERS = 1024;

/**
 * Those of a package's requirements that count here.
 * @param texts as its METADATA has them @param of what to call it
 * @throws AssetError for one that is none, and for more than 1,000
 */
export function readRequirements(
  texts: readonly string[],
  of: string,
  { environment }: Interpreter,
  extras: readonly string[],
): Requirement[] {
  if (texts.length > MOST_REQUIREMENTS)
    throw new AssetError(`${of} has more than ${MOST_REQUIREMENTS} requirements`);
  return texts
    .map((text) => {
      try {
        return parseRequirement(text);
      } catch (cause) {
        if (!(cause instanceof RequirementError)) throw cause;
        throw new AssetError(`${of} requires ${JSON.stringify(text.slice(0, 200))}: ${cause.message}`, {
          cause,
        });
      }
    })
    .filter((requirement) => applies(requirement, environment, extras));
}

/** Why a package cannot be used by a Python; null where it can. Specifiers that cannot be read are no hindrance, as in pip. */
export function misfitOfPython(requiresPython: string, { python, label }: Interpreter): string | null {
  if (requiresPython.length > MOST_SPECIFIER_CHARACTERS) return "its specifiers of Python are too long";
  if (!validRange(requiresPython) || satisfies(python, requiresPython, { prereleases: true })) return null;
  return requiresPython.trim() === ""
    ? null
    : `it needs Python ${requiresPython}, and ${label} has ${python}`;
}

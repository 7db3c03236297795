/** A Pyodide distribution: its core, what its lock file names, and which wheels are there. */
import type { Assets } from "../../assets.ts";
import { AssetError } from "../../errors.ts";
import { pyodideGlue } from "./glue.ts";
import {
  type DistributionInfo,
  type Interpreter,
  interpreterOf,
  type Offer,
  readRequirements,
} from "./packages.ts";
import { canonicalName, parseRequirement } from "./packages-requirement.ts";
import { isPure, parseWheelName, readWheel } from "./wheel.ts";

/** An entry of `packages` in pyodide-lock.json. */
export interface LockPackage {
  name: string;
  version: string;
  file_name: string;
  install_dir: string;
  sha256: string;
  depends: string[];
  imports: string[];
}

interface LockFile {
  info: DistributionInfo;
  packages: Record<string, LockPackage>;
}

export interface Distribution {
  info: DistributionInfo;
  interpreter: Interpreter;
  /** Of Pyodide: `0.27.7`. */
  version: string;
  pythonVersion: [number, number];
  /** Identifies the build: hash of the glue and the lock's info. */
  id: string;
  glue: string;
  wasm: Uint8Array;
  stdlib: Uint8Array;
  /** By name, as PEP 503 writes it. */
  packages: ReadonlyMap<string, LockPackage>;
  /** import name -> package name */
  providers: ReadonlyMap<string, string>;
}

/** @throws AssetError when the folder holds no usable distribution. */
export async function openDistribution(assets: Assets): Promise<Distribution> {
  const { pyodide } = assets;
  const text = async (file: string) => new TextDecoder().decode(await pyodide.read(file));
  let lock: LockFile;
  try {
    lock = JSON.parse(await text("pyodide-lock.json"));
  } catch (cause) {
    if (cause instanceof AssetError) {
      throw new AssetError(`${pyodide.name} is no Pyodide distribution: ${cause.message}`, { cause });
    }
    throw new AssetError(`${pyodide.name}/pyodide-lock.json is damaged: ${(cause as Error).message}`, {
      cause,
    });
  }
  const asm = (await pyodide.has("pyodide.asm.mjs")) ? "pyodide.asm.mjs" : "pyodide.asm.js";
  const [asmText, loaderText, wasm, stdlib] = await Promise.all([
    text(asm),
    text("pyodide.mjs"),
    pyodide.read("pyodide.asm.wasm"),
    pyodide.read("python_stdlib.zip"),
  ]);
  const glue = pyodideGlue(asmText, loaderText);
  const version = /^(\d+)\.(\d+)/.exec(lock.info?.python ?? "");
  if (!version) throw new AssetError(`${pyodide.name}/pyodide-lock.json names no Python version`);
  const packages = new Map(
    Object.entries(lock.packages ?? {}).map(([name, entry]) => [canonicalName(name), entry]),
  );
  const providers = new Map<string, string>();
  for (const [name, entry] of packages)
    for (const module of entry.imports ?? []) if (!providers.has(module)) providers.set(module, name);
  return {
    info: lock.info,
    interpreter: interpreterOf(lock.info, pyodide.name),
    version: lock.info.version ?? /="(\d+\.\d+\.\d+)"/.exec(loaderText)?.[1] ?? "",
    pythonVersion: [Number(version[1]), Number(version[2])],
    id: await assets.sha256(new TextEncoder().encode(glue + JSON.stringify(lock.info) + wasm.length)),
    glue,
    wasm,
    stdlib,
    packages,
    providers,
  };
}

/** Whether a package's wheel is here; those it depends on may be missing. */
export async function hasPackage(distribution: Distribution, assets: Assets, name: string): Promise<boolean> {
  const entry = distribution.packages.get(name);
  return entry !== undefined && (await assets.pyodide.has(entry.file_name));
}

/**
 * What a distribution has for a name. Its packages fit together and say of their dependencies only the names; extras are read from the
 * wheel.
 * @param readFile gives a file of it, wherever that is
 * @returns null where its lock file has no such name
 */
export function offerOfDistribution(
  { packages, interpreter }: Distribution,
  name: string,
  readFile: (entry: LockPackage) => Promise<Uint8Array>,
): Offer | null {
  const entry = packages.get(name);
  if (!entry) return null;
  const { version, file_name: file, sha256, depends, imports } = entry;
  const wheel = parseWheelName(file);
  return {
    place: interpreter.label,
    candidates: [
      {
        name,
        version,
        isPure: wheel !== null && isPure(wheel),
        prereleases: true,
        async requires(extras) {
          const always = depends.map((each) => parseRequirement(canonicalName(each)));
          // Where it has no METADATA, it has no extras either.
          if (extras.length === 0 || wheel === null) return always;
          const { requires } = await readWheel(await readFile(entry), `The wheel ${file}`);
          return [...always, ...readRequirements(requires, `${name} ${version}`, interpreter, extras)];
        },
        lock: async () => ({ name, version, file, origin: "distribution", sha256, imports }),
      },
    ],
    refused: [],
  };
}

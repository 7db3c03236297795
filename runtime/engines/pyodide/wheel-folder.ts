/** A folder of wheels beside the distribution: what is in it, read once for each file. */
import type { Assets } from "../../assets.ts";
import { AssetError } from "../../errors.ts";
import {
  byPreference,
  type Candidate,
  type Interpreter,
  misfitOfPython,
  type Offer,
  readRequirements,
} from "./packages.ts";
import { isPure, misfit, parseWheelName, readWheel, type WheelContent } from "./wheel.ts";

/** What is remembered of a wheel, for as long as its file stays as it was. */
interface Entry {
  /** Size and time of change. */
  stamp: string;
  sha256: string;
  content: WheelContent;
}

export interface WheelFolder {
  /** import name -> package name */
  providers: ReadonlyMap<string, string>;
  /** @returns null where the folder has no wheel of that name */
  offer(name: string): Offer | null;
  /** Equal for folders that offer the same. */
  identity: string;
}

/**
 * Reads all wheels of a folder. What their files hold is kept, so that the next process need not read them.
 * @throws AssetError for a wheel that is damaged or says another name or version than its file
 */
export async function openWheelFolder(assets: Assets, interpreter: Interpreter): Promise<WheelFolder | null> {
  const { wheels: folder, cache } = assets;
  if (!folder) return null;
  const hash = (text: string) => assets.sha256(new TextEncoder().encode(text));
  const key = `wheels-${await hash(folder.name)}`;
  const kept = await cache.get(key, () => {});
  const known = new Map<string, Entry>(kept ? JSON.parse(new TextDecoder().decode(kept)) : []);
  const entries = new Map<string, Entry>();
  let isNew = false;
  for (const { file, stamp } of (await folder.list()).sort((a, b) => (a.file < b.file ? -1 : 1))) {
    if (!file.endsWith(".whl")) continue;
    const before = known.get(file);
    if (before?.stamp === stamp) entries.set(file, before);
    else {
      isNew = true;
      const bytes = await folder.read(file);
      const content = await readContent(bytes, file, folder.name);
      entries.set(file, { stamp, sha256: await assets.sha256(bytes), content });
    }
  }
  // What cannot be kept is read again.
  if (isNew || entries.size !== known.size)
    await cache.put(key, new TextEncoder().encode(JSON.stringify([...entries])));

  const offers = new Map<string, { candidates: Candidate[]; refused: string[] }>();
  const providers = new Map<string, string>();
  for (const [file, { sha256, content }] of entries) {
    const { name, version, requires, requiresPython, imports } = content;
    const offer = offers.get(name) ?? { candidates: [], refused: [] };
    offers.set(name, offer);
    const wheel = parseWheelName(file);
    const why = wheel ? (misfit(wheel, interpreter) ?? misfitOfPython(requiresPython, interpreter)) : null;
    if (!wheel || why !== null) {
      offer.refused.push(`${file} cannot be used: ${why}`);
      continue;
    }
    for (const module of imports) if (!providers.has(module)) providers.set(module, name);
    offer.candidates.push({
      name,
      version,
      prereleases: true,
      isPure: isPure(wheel),
      requires: async (extras) =>
        readRequirements(requires, `The wheel ${folder.name}/${file}`, interpreter, extras),
      lock: async () => ({ name, version, file, origin: "wheels", sha256, imports }),
    });
  }
  for (const { candidates } of offers.values()) candidates.sort(byPreference);
  return {
    providers,
    offer(name) {
      const offer = offers.get(name);
      return offer ? { place: folder.name, ...offer } : null;
    },
    identity: await hash(JSON.stringify([...entries].map(([file, { sha256 }]) => [file, sha256]))),
  };
}

async function readContent(bytes: Uint8Array, file: string, folder: string): Promise<WheelContent> {
  const where = `The wheel ${folder}/${file}`;
  const named = parseWheelName(file);
  if (!named) throw new AssetError(`${where} is not named as a wheel: NAME-VERSION-PYTHON-ABI-PLATFORM.whl`);
  const content = await readWheel(bytes, where);
  if (content.name !== named.name || content.version !== named.version) {
    throw new AssetError(
      `${where} says that it is ${content.name} ${content.version}: another file has its name`,
    );
  }
  return content;
}

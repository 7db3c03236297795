/**
 * Chooses versions: each requirement is met by the best candidate that all requirements so far allow, and where that leads nowhere, by
 * the next. A name comes from one place only, whatever versions another one has.
 */
import { AssetError } from "../../errors.ts";
import type { Candidate, Offer } from "./packages.ts";
import { allowsVersion, type Requirement } from "./packages-requirement.ts";

/** A requirement, and who has it. */
export interface Wanted {
  requirement: Requirement;
  /** `report.py`, `requests 2.32.5` */
  by: string;
}

/** A candidate that was chosen. */
export interface Chosen {
  candidate: Candidate;
  extras: readonly string[];
  /** Names of packages, sorted. */
  depends: readonly string[];
}

/** What the places have for names. Answers must not change. */
export interface Places {
  /** Says that these names will be asked for, so that one denial names all. */
  expect(names: readonly string[]): Promise<void>;
  offer(name: string): Promise<Offer>;
}

/** Candidates that are tried in all. Real trees need a few dozen; whoever makes one that needs more wants to keep us busy. */
const MOST_TRIES = 5000;
const MOST_PACKAGES = 1000;
/** Requirements that wait for their turn. */
const MOST_OPEN = 10_000;

type State = ReadonlyMap<string, Chosen>;

/**
 * @returns by name
 * @throws AssetError that says whose requirement cannot be met, and why
 */
export async function resolveRequirements(roots: readonly Wanted[], places: Places): Promise<State> {
  let tries = 0;
  /** The failure that most had been chosen for: the others are only on the way there. */
  let worst: { depth: number; message: string } | undefined;
  const fail = (depth: number, message: string): null => {
    if (!worst || depth >= worst.depth) worst = { depth, message };
    return null;
  };

  const solve = async (chosen: State, open: readonly Wanted[]): Promise<State | null> => {
    // Those that what is chosen meets already: one after another, since there may be thousands.
    for (const [at, { requirement, by }] of open.entries()) {
      const { name } = requirement;
      const there = chosen.get(name);
      if (!there) return solveNew(chosen, open.slice(at));
      const { version } = there.candidate;
      if (!allowsVersion(requirement, version, true)) {
        return fail(
          chosen.size,
          `${by} requires ${JSON.stringify(requirement.text)}, and something else needs ${name} ${version}`,
        );
      }
      const more = requirement.extras.filter((extra) => !there.extras.includes(extra));
      if (more.length > 0)
        return choose(there.candidate, [...there.extras, ...more], chosen, open.slice(at + 1));
    }
    return chosen;
  };

  /** @param open the first is of a package that is not chosen yet */
  const solveNew = async (chosen: State, open: readonly Wanted[]): Promise<State | null> => {
    const [wanted, ...rest] = open as [Wanted, ...Wanted[]];
    const { requirement, by } = wanted;
    const { name } = requirement;
    if (chosen.size >= MOST_PACKAGES)
      throw new AssetError(`${by} leads to more than ${MOST_PACKAGES} packages`);
    const offer = await places.offer(name);
    const same = [wanted, ...rest.filter((other) => other.requirement.name === name)];
    let isTried = false;
    for (const candidate of offer.candidates) {
      const allows = ({ requirement: each }: Wanted) => {
        // Somebody who names a pre-release asks for one.
        const prereleases =
          candidate.prereleases ||
          same.some(({ requirement: { specifier } }) => /\d(a|b|rc|\.?dev)\d/.test(specifier));
        return allowsVersion(each, candidate.version, prereleases);
      };
      if (!same.every(allows)) continue;
      if (++tries > MOST_TRIES) {
        throw new AssetError(
          `Cannot find versions of packages that fit together: ${MOST_TRIES} were tried${worst ? `; for one, ${worst.message}` : ""}`,
        );
      }
      isTried = true;
      const found = await choose(candidate, requirement.extras, chosen, rest);
      if (found) return found;
    }
    return isTried ? null : fail(chosen.size, unmet(same, offer));
  };

  const choose = async (
    candidate: Candidate,
    extras: readonly string[],
    chosen: State,
    rest: readonly Wanted[],
  ): Promise<State | null> => {
    const { name, version } = candidate;
    const requires = await candidate.requires(extras);
    const names = [...new Set(requires.map((requirement) => requirement.name))].filter(
      (other) => other !== name,
    );
    await places.expect(names.filter((other) => !chosen.has(other)));
    const next = new Map(chosen).set(name, { candidate, extras, depends: names.sort() });
    const by = `${name} ${version}`;
    // Those that say something about versions first: they leave less to choose from.
    const wanted = requires.map((requirement): Wanted => ({ requirement, by }));
    if (rest.length + wanted.length > MOST_OPEN)
      throw new AssetError(`${by} leads to more than ${MOST_OPEN} requirements`);
    return solve(next, [...rest, ...wanted]);
  };

  await places.expect([...new Set(roots.map(({ requirement }) => requirement.name))]);
  const found = await solve(new Map(), roots);
  if (!found) throw new AssetError(worst?.message ?? "The requirements cannot be met");
  return found;
}

/** Why no candidate will do. */
function unmet(wanted: readonly Wanted[], { place, candidates, refused }: Offer): string {
  const [{ requirement, by }] = wanted as [Wanted];
  const asked = wanted
    .map((each) => `${each.by} requires ${JSON.stringify(each.requirement.text)}`)
    .join(" and ");
  const versions = [...new Set(candidates.map(({ version }) => version))];
  const all = `${versions.slice(0, 8).join(", ")}${versions.length > 8 ? ", …" : ""}`;
  const has =
    versions.length > 0
      ? `${place} has ${requirement.name} ${all}`
      : refused.length > 0
        ? `${place} has no file of it that fits: ${refused.slice(-3).join("; ")}`
        : `${place} has no such package`;
  return `${wanted.length > 1 ? asked : `${by} requires ${JSON.stringify(requirement.text)}`}, and ${has}`;
}

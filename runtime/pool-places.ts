/** The places of a pool: which isolates there are, whose they are, and whether the bounds leave room for another. */
import type { Isolate, IsolateRecipe } from "./isolate/isolate.ts";
import type { LeaseRequest, Place, Tree } from "./lease.ts";

/** What an isolate is expected to take before it has said anything. */
const EXPECTED_BYTES = 128 * 1024 * 1024;
const CORES = navigator.hardwareConcurrency || 4;

/** What a pool may hold. */
export interface Bounds {
  /** The most isolates at once, spares included; one whose run waits for a run of another UDF does not count. */
  maxIsolates: number;
  /** The most memory of all isolates together. Idle ones end to keep it; then new ones wait; one that does not wait is always allowed. */
  memoryBytes: number;
  /** How many isolates can make use of the machine at once. Default: its cores. */
  cores?: number;
  /** The most of the isolates that count which the runs of one owner have: what others run never waits for all of them. Default: all. */
  mostPerOwner?: number;
}

/** An isolate of the pool. */
export interface Entry {
  isolate: Isolate;
  busy: boolean;
  /** Of the run that it is leased to, or was last. */
  tree: Tree | undefined;
  /** How many runs of other UDFs its run waits for. */
  waitsFor: number;
  /** How long it took to start. */
  startMs: number;
  /** When it was leased, and how long its runs take of late; undefined before the first one has ended. */
  leasedAt: number;
  runMs: number | undefined;
  idleTimer: ReturnType<typeof setTimeout> | undefined;
}

/** An isolate that is being started, for the run of a tree or as a spare. */
export interface Start {
  readonly tree: Tree | undefined;
}

/** Isolates, those that start, and the places that are kept for runs which others wait for. */
export class Places {
  /** In the order of their last use. */
  readonly entries = new Set<Entry>();
  readonly #bounds: Bounds;
  readonly #starting = new Set<Start>();
  readonly #kept = new Set<Place>();

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Isolates now: in all, and unused spares. */
  get size(): { isolates: number; spares: number } {
    return {
      isolates: this.entries.size + this.#starting.size,
      spares: [...this.entries].filter((entry) => entry.isolate.identity === null).length,
    };
  }

  /** Isolates that are being started. */
  get starting(): number {
    return this.#starting.size;
  }

  /** One is being started for the run of a tree, or as a spare, and counts until it has `started`. */
  start(tree: Tree | undefined): Start {
    const start = { tree };
    this.#starting.add(start);
    return start;
  }

  /** It counts by itself now, or never will. */
  started(start: Start): void {
    this.#starting.delete(start);
  }

  /** Keeps a place for a run which another one waits for, until it is given up. */
  keep(place: Place): void {
    this.#kept.add(place);
  }

  /** It is another's now. */
  giveUp(place: Place): void {
    this.#kept.delete(place);
  }

  /** Whether its owner has as many places as one may have. */
  hasItsShare({ tree: { owner } }: LeaseRequest): boolean {
    const { mostPerOwner } = this.#bounds;
    return mostPerOwner !== undefined && this.count(({ tree }) => tree?.owner === owner) >= mostPerOwner;
  }

  /** How many of the isolates that count are of some trees, those that start and kept places included. */
  count(isOf: (place: { tree: Tree | undefined }) => boolean): number {
    return [...this.#atWork, ...this.#starting, ...this.#kept].filter(isOf).length;
  }

  /** The nearest of what is free. */
  find({ identity, hash }: LeaseRequest, recipe: IsolateRecipe): Entry | undefined {
    const free = [...this.entries].filter(
      (entry) => !entry.busy && !entry.isolate.ended && entry.isolate.recipe.key === recipe.key,
    );
    const mine = free.filter((entry) => entry.isolate.identity === identity);
    // A spare is there at once; a fresh realm in an isolate of one's own takes a while. The one used longest ago goes first.
    return (
      mine.find((entry) => hash === null || entry.isolate.prepared === hash) ??
      free.find((entry) => entry.isolate.identity === null) ??
      mine[0]
    );
  }

  /** Those in which a UDF has run for an identity. */
  own({ identity, hash }: LeaseRequest, recipe: IsolateRecipe): Entry[] {
    return [...this.entries].filter(
      ({ isolate }) =>
        isolate.identity === identity && isolate.recipe.key === recipe.key && isolate.prepared === hash,
    );
  }

  /** Whether all cores have something to do: a run, or a start. */
  get areCoresTaken(): boolean {
    return this.#atWork.length + this.#starting.size >= (this.#bounds.cores ?? CORES);
  }

  get #atWork(): Entry[] {
    return [...this.entries].filter(({ busy, waitsFor }) => busy && waitsFor === 0);
  }

  /** Whether a new one would be beyond the bounds. */
  get isFull(): boolean {
    const { maxIsolates, memoryBytes } = this.#bounds;
    return (
      this.#counted >= maxIsolates || (this.#counted > 0 && this.#heldBytes() + EXPECTED_BYTES > memoryBytes)
    );
  }

  /** Whether there are as many as there may be, whatever memory they take. */
  get isAtMost(): boolean {
    return this.#counted >= this.#bounds.maxIsolates;
  }

  /** Whether those that are there are beyond the bounds: what waited counts again. */
  get isOver(): boolean {
    const { maxIsolates, memoryBytes } = this.#bounds;
    return this.#counted > maxIsolates || this.#heldBytes() > memoryBytes;
  }

  /** Isolates but those whose runs wait for other runs, and the places that are kept for those. */
  get #counted(): number {
    const waiting = [...this.entries].filter(({ waitsFor }) => waitsFor > 0).length;
    return this.size.isolates - waiting + this.#kept.size;
  }

  #heldBytes(): number {
    return [...this.entries].reduce(
      (sum, { isolate }) => sum + isolate.heldBytes,
      this.#starting.size * EXPECTED_BYTES,
    );
  }

  /** The one that was idle longest, of those first whose UDF has another one. @param keep how many idle ones stay */
  longestIdle(keep: number): Entry | undefined {
    const all = [...this.entries];
    const idle = all.filter((entry) => !entry.busy);
    if (idle.length <= keep) return undefined;
    const isLike = (one: Isolate, other: Isolate) =>
      one.identity === other.identity && one.prepared === other.prepared;
    const spared = idle.find((entry) =>
      all.some((other) => other !== entry && isLike(other.isolate, entry.isolate)),
    );
    return spared ?? idle[0];
  }
}

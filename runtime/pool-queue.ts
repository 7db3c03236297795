/** Who waits for an isolate of a pool, and who of them goes first. */
import { CancelledError } from "./errors.ts";
import type { IsolateRecipe } from "./isolate/isolate.ts";
import type { Lease, LeaseRequest } from "./lease.ts";
import type { Places } from "./pool-places.ts";

/** What the start of an isolate is taken to cost at most: the first of a kind also builds what the others start from. */
const MOST_START_MS = 500;

/** A request whose recipe is known. */
export interface Asked {
  request: LeaseRequest;
  recipe: IsolateRecipe;
  /** It came before those with a higher one. */
  turn: number;
  /** When it asked. */
  since: number;
}

interface Waiter extends Asked {
  resolve(lease: Lease): void;
  reject(error: Error): void;
  /** It is out of the queue: the signal no longer rejects it. */
  left(): void;
}

/** The queue of a pool. */
export class PoolQueue {
  readonly #places: Places;
  readonly #lease: (asked: Asked) => Promise<Lease>;
  readonly #waiting: Waiter[] = [];

  /** @param lease tries again for one that was chosen among all that wait */
  constructor(places: Places, lease: (asked: Asked) => Promise<Lease>) {
    this.#places = places;
    this.#lease = lease;
  }

  /**
   * For how long one goes on waiting while one of its own is expected to be free before a new one is there, in milliseconds; 0: not at all.
   * It is so where a stranger's idle isolate would have to end for a new one, or all cores have something to do already.
   */
  patienceOf({ request, recipe, since }: Asked): number {
    if (!this.#places.isFull && !this.#places.areCoresTaken) return 0;
    const own = this.#places.own(request, recipe);
    const runs = own.flatMap(({ runMs }) => runMs ?? []);
    if (runs.length === 0) return 0;
    const startMs = Math.min(MOST_START_MS, ...own.map((entry) => entry.startMs));
    const ahead = this.#waiting.filter(
      ({ request: { identity, hash } }) => identity === request.identity && hash === request.hash,
    ).length;
    const expectedMs = (Math.max(...runs) * (ahead + 1)) / own.length;
    return expectedMs < startMs ? Math.max(0, since + startMs - performance.now()) : 0;
  }

  /**
   * Who has the fewest places goes first: however many runs a run starts, they keep nobody else waiting for longer than one of them
   * takes. Of equals the deepest goes first: then only as many runs wait for others as are nested, and not all that could be started.
   */
  #goesBefore(one: LeaseRequest, other: LeaseRequest): boolean {
    const placesOf = (request: LeaseRequest) => this.#places.count(({ tree }) => tree === request.tree);
    const more = one.tree === other.tree ? 0 : placesOf(one) - placesOf(other);
    return more === 0 ? one.depth > other.depth : more < 0;
  }

  /** Whether somebody who waits goes before this one. */
  isBehind(request: LeaseRequest): boolean {
    return this.#waiting.some(
      (waiter) => !this.#places.hasItsShare(waiter.request) && this.#goesBefore(waiter.request, request),
    );
  }

  /** Waits until it is its turn. @throws CancelledError when its signal fires before */
  wait(asked: Asked): Promise<Lease> {
    const { signal } = asked.request;
    return new Promise((resolve, reject) => {
      let patience: ReturnType<typeof setTimeout> | undefined;
      // Timers may be early.
      const waitPatiently = () => {
        const ms = this.patienceOf(asked);
        if (ms === 0) return this.serve();
        patience = setTimeout(waitPatiently, Math.ceil(ms));
      };
      const onAbort = () => {
        const place = this.#waiting.indexOf(waiter);
        if (place !== -1) this.#waiting.splice(place, 1);
        clearTimeout(patience);
        reject(new CancelledError("The run was cancelled while it waited for an isolate"));
      };
      const left = () => {
        clearTimeout(patience);
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = { ...asked, resolve, reject, left };
      // A signal that fired while the recipe was read says nothing any more.
      if (signal?.aborted) return onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiter);
      if (this.patienceOf(asked) > 0) waitPatiently();
    });
  }

  /** The first in the queue that may go on tries again; from here on its lease minds the signal, or an isolate would be given to nobody. */
  serve(): void {
    const now = performance.now();
    const hasOwn = new Map(
      this.#waiting.map((waiter) => [waiter, this.#places.find(waiter.request, waiter.recipe)]),
    );
    // Who waits for one of its own keeps nobody else waiting.
    const ready = this.#waiting.filter(
      (waiter) =>
        !this.#places.hasItsShare(waiter.request) && (hasOwn.get(waiter) || this.patienceOf(waiter) === 0),
    );
    if (ready.length === 0) return;
    /** Whose own isolate is free takes it, rather than that it ends for another; but nobody waits for ever. */
    const rank = (waiter: Waiter) => (hasOwn.get(waiter) || now - waiter.since > MOST_START_MS ? 0 : 1);
    const isFirst = (one: Waiter, other: Waiter) =>
      this.#goesBefore(one.request, other.request) ||
      (!this.#goesBefore(other.request, one.request) &&
        (rank(one) - rank(other) || one.turn - other.turn) < 0);
    const waiter = ready.reduce((first, next) => (isFirst(next, first) ? next : first));
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
    waiter.left();
    // In a moment: a run that has just ended may be what another one waited for, which goes on, or starts the next.
    Promise.resolve()
      .then(() => this.#lease(waiter))
      .then(waiter.resolve, waiter.reject);
  }

  /** Nobody waits any more. */
  close(reason: Error): void {
    for (const waiter of this.#waiting.splice(0)) {
      waiter.left();
      waiter.reject(reason);
    }
  }
}

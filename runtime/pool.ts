/**
 * Which isolate a run gets. An isolate belongs to one identity (principal, permissions, limits) from its first lease to its
 * end; a spare belongs to nobody yet. Of what is free, the nearest is taken: the same UDF (memory was put back in place), a
 * spare, the same identity (a fresh realm), a new one; at the bounds on isolates and memory a stranger's idle one makes room, unless
 * one of its own is expected to come free sooner than a new one would be there.
 */
import { CancelledError, IsolateError } from "./errors.ts";
import { Isolate, type IsolateOptions, type IsolateRecipe } from "./isolate/isolate.ts";
import type { IsolatePlatform } from "./isolate/platform.ts";
import type { Lease, LeaseRequest, Place, Tree } from "./lease.ts";
import { type Bounds, type Entry, Places, type Start } from "./pool-places.ts";
import { type Asked, PoolQueue } from "./pool-queue.ts";

/** A spare is started when the runtime has been quiet for this long. */
const REFILL_DELAY_MS = 250;

export interface PoolOptions extends Bounds {
  /** Isolates kept booted and warm that nobody has used. */
  spares: number;
}

/** Waits until memory has been put back, or the one who waits has given up. */
async function settledOrAborted(isolate: Isolate, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return isolate.settled;
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await Promise.race([isolate.settled, aborted.promise]);
  signal.removeEventListener("abort", onAbort);
}

export class Pool {
  readonly #platform: IsolatePlatform;
  readonly #options: PoolOptions;
  readonly #isolateOptions: Omit<IsolateOptions, "warm">;
  readonly #idleMs: number;
  readonly #places: Places;
  readonly #queue: PoolQueue;
  readonly #closing = new Set<Promise<void>>();
  /** Starts that are under way; closing cancels them and waits until nothing of them is left. */
  readonly #opening = new Set<Promise<unknown>>();
  readonly #cancelOpening = new AbortController();
  #turns = 0;
  #refillTimer: ReturnType<typeof setTimeout> | undefined;
  #lastRecipe: IsolateRecipe | null = null;
  #closed = false;

  constructor(
    platform: IsolatePlatform,
    options: PoolOptions,
    isolateOptions: Omit<IsolateOptions, "warm">,
    idleMs: number,
  ) {
    this.#platform = platform;
    this.#options = options;
    this.#places = new Places(options);
    this.#queue = new PoolQueue(this.#places, (asked) => this.#leaseOrWait(asked, true));
    this.#isolateOptions = isolateOptions;
    this.#idleMs = idleMs;
  }

  /** Isolates now: in all, and unused spares. */
  get size(): { isolates: number; spares: number } {
    return this.#places.size;
  }

  /** @throws what starting an isolate throws; CancelledError; IsolateError when the pool is closed. */
  async lease(request: LeaseRequest): Promise<Lease> {
    this.#assertOpen();
    // The first isolate starts while its recipe is still being read.
    if (this.size.isolates === 0)
      return this.#open(request, request.recipe, this.#places.start(request.tree));
    const asked = { request, recipe: await request.recipe, turn: this.#turns++, since: performance.now() };
    return this.#leaseOrWait(asked, false);
  }

  /** @param isNext whether it was chosen among all that wait */
  async #leaseOrWait(asked: Asked, isNext: boolean): Promise<Lease> {
    this.#assertOpen();
    const { request } = asked;
    if (request.place) this.#places.giveUp(request.place);
    const isBehind = !isNext && this.#queue.isBehind(request);
    const lease = isBehind ? undefined : this.#leaseNow(asked);
    if (!lease) {
      const waiting = this.#queue.wait(asked);
      // What is free is for who goes before.
      if (isBehind) this.#queue.serve();
      return waiting;
    }
    if (request.depth > 0 && !this.#places.isAtMost) this.#queue.serve();
    return lease;
  }

  #leaseNow(asked: Asked): Promise<Lease> | undefined {
    const { request, recipe } = asked;
    if (this.#places.hasItsShare(request)) return undefined;
    const found = this.#places.find(request, recipe);
    if (found) return this.#take(found, request, recipe);
    if (this.#queue.patienceOf(asked) > 0) return undefined;
    return this.#reserve() ? this.#open(request, recipe, this.#places.start(request.tree)) : undefined;
  }

  /** Ends all isolates, also those that run. Resolves when nothing is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#refillTimer);
    const reason = new IsolateError("The runtime was closed");
    this.#queue.close(reason);
    this.#cancelOpening.abort();
    await Promise.allSettled(this.#opening);
    await Promise.all([
      ...[...this.#places.entries].map((entry) => this.#end(entry, reason)),
      ...this.#closing,
    ]);
  }

  #assertOpen(): void {
    if (this.#closed) throw new IsolateError("The runtime was closed");
  }

  async #take(entry: Entry, request: LeaseRequest, recipe: IsolateRecipe): Promise<Lease> {
    entry.busy = true;
    entry.tree = request.tree;
    clearTimeout(entry.idleTimer);
    const { isolate } = entry;
    isolate.identity = request.identity;
    entry.leasedAt = performance.now();
    await settledOrAborted(isolate, request.signal);
    if (request.signal?.aborted) {
      this.#leaseOf(entry).release();
      throw new CancelledError("The run was cancelled while it waited for an isolate");
    }
    if (!isolate.reusable) {
      void this.#end(entry, new IsolateError("The isolate was used up"));
      return this.lease({ ...request, recipe: Promise.resolve(recipe) });
    }
    if (
      isolate.prepared !== null &&
      request.hash !== null &&
      isolate.prepared !== request.hash &&
      recipe.realmPerUdf
    ) {
      try {
        await isolate.renew(request.signal);
      } catch (error) {
        // It died while it was idle, and nobody had noticed.
        if (!(error instanceof IsolateError)) throw error;
        return this.lease({ ...request, recipe: Promise.resolve(recipe) });
      }
    }
    return this.#leaseOf(entry);
  }

  /** Starts one. @param start its place, until it counts by itself */
  async #open(
    request: LeaseRequest,
    recipe: Promise<IsolateRecipe> | IsolateRecipe,
    start: Start,
  ): Promise<Lease> {
    let isolate: Isolate;
    const started = performance.now();
    try {
      // Runs that a run starts are often many of one UDF.
      isolate = await this.#openIsolate(recipe, {
        signal: request.signal,
        reusable: this.#isolateOptions.reusable || request.depth > 0,
      });
    } catch (error) {
      this.#places.started(start);
      // The place is another's now.
      this.#queue.serve();
      throw error;
    }
    this.#places.started(start);
    const entry = this.#add(isolate, request.tree, performance.now() - started);
    isolate.identity = request.identity;
    this.#assertAlive(entry);
    return this.#leaseOf(entry);
  }

  async #openIsolate(
    recipe: Promise<IsolateRecipe> | IsolateRecipe,
    { signal, ...options }: { signal?: AbortSignal | undefined } & Partial<IsolateOptions>,
  ): Promise<Isolate> {
    const closed = this.#cancelOpening.signal;
    const opening = Isolate.open(
      this.#platform,
      recipe,
      { ...this.#isolateOptions, warm: false, ...options },
      signal ? AbortSignal.any([signal, closed]) : closed,
    );
    this.#opening.add(opening);
    try {
      return (await opening).isolate;
    } catch (error) {
      this.#assertOpen();
      throw error;
    } finally {
      this.#opening.delete(opening);
    }
  }

  #assertAlive(entry: Entry): void {
    if (!this.#closed) return;
    void this.#end(entry, new IsolateError("The runtime was closed"));
    this.#assertOpen();
  }

  /** @param tree of the run that it was started for; undefined for a spare */
  #add(isolate: Isolate, tree: Tree | undefined, startMs: number): Entry {
    const entry: Entry = {
      isolate,
      busy: tree !== undefined,
      tree,
      waitsFor: 0,
      startMs,
      leasedAt: performance.now(),
      runMs: undefined,
      idleTimer: undefined,
    };
    this.#places.entries.add(entry);
    this.#lastRecipe = isolate.recipe;
    isolate.onEnd = () => {
      // What ended by itself (a limit, a crash) is waited for as well when the pool closes.
      void this.#end(entry, new IsolateError("The isolate has ended"));
      this.#queue.serve();
    };
    return entry;
  }

  #leaseOf(entry: Entry): Lease {
    let released = false;
    return {
      isolate: entry.isolate,
      wait: () => {
        const place: Place = {
          tree: entry.tree as Tree,
          end: () => {
            this.#places.giveUp(place);
            entry.waitsFor--;
            this.#trim();
          },
        };
        if (entry.waitsFor++ === 0) this.#places.keep(place);
        return place;
      },
      hold: () => {
        entry.waitsFor++;
        this.#queue.serve();
        return () => {
          entry.waitsFor--;
          this.#trim();
        };
      },
      release: () => {
        if (released) return;
        released = true;
        entry.busy = false;
        const tookMs = performance.now() - entry.leasedAt;
        entry.runMs = entry.runMs === undefined ? tookMs : (entry.runMs + tookMs) / 2;
        // Entries are in the order of their last use.
        if (this.#places.entries.delete(entry)) this.#places.entries.add(entry);
        if (entry.isolate.ended) return;
        void entry.isolate.settled.then(() => {
          if (!entry.isolate.reusable) void this.#end(entry, new IsolateError("The isolate was used up"));
          this.#trim();
        });
        entry.idleTimer = setTimeout(
          () => void this.#end(entry, new IsolateError("The isolate was idle")),
          this.#idleMs,
        );
        (entry.idleTimer as { unref?(): void }).unref?.();
        this.#queue.serve();
        this.#refill();
      },
    };
  }

  /** Whether there is a place below the bounds, ending isolates that were idle longest for it if need be. @param keep idle ones that stay */
  #reserve(keep = 0): boolean {
    while (this.#places.isFull) if (!this.#endIdle(keep)) return false;
    return true;
  }

  /** Ends idle isolates that are beyond the bounds: what waited counts again. */
  #trim(): void {
    while (this.#places.isOver && this.#endIdle());
  }

  /** Ends the isolate that was idle longest. @returns whether there was one beyond those that stay */
  #endIdle(keep = 0): boolean {
    const last = this.#places.longestIdle(keep);
    if (!last) return false;
    void this.#end(last, new IsolateError("The isolate made room for another"));
    return true;
  }

  /** Starts a spare once nobody has asked for anything for a while, and the host is at rest: it must not slow down who is working. */
  #refill(): void {
    clearTimeout(this.#refillTimer);
    if (this.#closed || this.#options.spares === 0) return;
    const isBusy = this.#platform.watchThread?.();
    this.#refillTimer = setTimeout(() => (isBusy?.() ? this.#refill() : this.#startSpare()), REFILL_DELAY_MS);
    (this.#refillTimer as { unref?(): void }).unref?.();
  }

  /** A spare of the kind that was used last. A failure shows when somebody needs one. */
  #startSpare(): void {
    const recipe = this.#lastRecipe;
    if (this.#closed || !recipe || this.size.spares + this.#places.starting >= this.#options.spares) return;
    if ([...this.#places.entries].some((entry) => entry.busy)) return;
    if (!this.#reserve(1)) return;
    const start = this.#places.start(undefined);
    const started = performance.now();
    this.#openIsolate(recipe, { warm: true })
      .then(
        (isolate) => {
          const entry = this.#add(isolate, undefined, performance.now() - started);
          if (this.#closed) void this.#end(entry, new IsolateError("The runtime was closed"));
          else this.#refill();
        },
        () => {},
      )
      .finally(() => {
        this.#places.started(start);
        this.#queue.serve();
      });
  }

  #end(entry: Entry, reason: Error): Promise<void> {
    clearTimeout(entry.idleTimer);
    this.#places.entries.delete(entry);
    const closing = entry.isolate.close(reason).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }
}

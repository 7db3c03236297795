/**
 * Which isolate a run gets. An isolate belongs to one identity (principal, permissions, limits) from its first lease to its
 * end; a spare belongs to nobody yet. Of what is free, the nearest is taken: the same UDF (memory was put back in place), a
 * spare, the same identity (a fresh realm), a new one; at the bounds on isolates and memory a stranger's idle one makes room, unless
 * one of its own is expected to come free sooner than a new one would be there.
 */
import { CancelledError, IsolateError } from "./errors.ts";
import { Isolate, type IsolateOptions, type IsolateRecipe } from "./isolate/isolate.ts";
import type { IsolatePlatform } from "./isolate/platform.ts";

/** What an isolate is expected to take before it has said anything. */
const EXPECTED_BYTES = 128 * 1024 * 1024;
/** What the start of an isolate is taken to cost at most: the first of a kind also builds what the others start from. */
const MOST_START_MS = 500;
const CORES = navigator.hardwareConcurrency || 4;
/** A spare is started when the runtime has been quiet for this long. */
const REFILL_DELAY_MS = 250;

export interface PoolOptions {
  /** The most isolates at once, spares included; one whose run waits for a run of another UDF does not count. */
  maxIsolates: number;
  /** The most memory of all isolates together. Idle ones end to keep it; then new ones wait; one that does not wait is always allowed. */
  memoryBytes: number;
  /** Isolates kept booted and warm that nobody has used. */
  spares: number;
  /** How many isolates can make use of the machine at once. Default: its cores. */
  cores?: number;
}

export interface LeaseRequest {
  recipe: Promise<IsolateRecipe>;
  /** All that must be equal for two runs to share an isolate. */
  identity: string;
  /** Hash of the UDF's code and headers; null where none of it will run: then any realm will do. */
  hash: string | null;
  /** How many runs wait for this one, each for the next. */
  depth: number;
  /** Of the run that nobody's UDF asked for, and of all runs below it. */
  tree: object;
  /** Of the run that waits for this one. */
  place: Place | undefined;
  signal: AbortSignal | undefined;
}

/** While a run waits for another one, its place among the isolates that count is kept for that one. */
export interface Place {
  readonly tree: object;
  /** The run goes on. */
  end(): void;
}

export interface Lease {
  isolate: Isolate;
  /** The run waits for another one, which needs an isolate, too: meanwhile this one counts for nothing. */
  wait(): Place;
  /** The same for many other runs, some of which may not have begun: none has its place for certain. @returns the function that ends it */
  hold(): () => void;
  /** Gives the isolate back; it is free once its memory is. */
  release(): void;
}

interface Entry {
  isolate: Isolate;
  busy: boolean;
  /** Of the run that it is leased to, or was last. */
  tree: object | undefined;
  /** How many runs of other UDFs its run waits for. */
  waitsFor: number;
  /** How long it took to start. */
  startMs: number;
  /** When it was leased, and how long its runs take of late; undefined before the first one has ended. */
  leasedAt: number;
  runMs: number | undefined;
  idleTimer: ReturnType<typeof setTimeout> | undefined;
}

/** A request whose recipe is known. */
interface Asked {
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
  readonly #entries = new Set<Entry>();
  readonly #waiting: Waiter[] = [];
  readonly #closing = new Set<Promise<void>>();
  /** Starts that are under way; closing cancels them and waits until nothing of them is left. */
  readonly #opening = new Set<Promise<unknown>>();
  readonly #cancelOpening = new AbortController();
  /** Isolates that are being started, each for the run of a tree or as a spare. */
  readonly #starting = new Set<{ tree: object | undefined }>();
  /** Places that are kept for runs which others wait for. */
  readonly #kept = new Set<Place>();
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
    this.#isolateOptions = isolateOptions;
    this.#idleMs = idleMs;
  }

  /** Isolates now: in all, and unused spares. */
  get size(): { isolates: number; spares: number } {
    return {
      isolates: this.#entries.size + this.#starting.size,
      spares: [...this.#entries].filter((entry) => entry.isolate.identity === null).length,
    };
  }

  /** @throws what starting an isolate throws; CancelledError; IsolateError when the pool is closed. */
  async lease(request: LeaseRequest): Promise<Lease> {
    this.#assertOpen();
    // The first isolate starts while its recipe is still being read.
    if (this.#entries.size + this.#starting.size === 0)
      return this.#open(request, request.recipe, this.#startFor(request));
    const asked = { request, recipe: await request.recipe, turn: this.#turns++, since: performance.now() };
    return this.#leaseOrWait(asked, false);
  }

  /** @param isNext whether it was chosen among all that wait */
  async #leaseOrWait(asked: Asked, isNext: boolean): Promise<Lease> {
    this.#assertOpen();
    const { request } = asked;
    if (request.place) this.#kept.delete(request.place);
    const isBehind = !isNext && this.#waiting.some((waiter) => this.#goesBefore(waiter.request, request));
    const lease = isBehind ? undefined : this.#leaseNow(asked);
    if (!lease) {
      const waiting = this.#wait(asked);
      // What is free is for who goes before.
      if (isBehind) this.#serveWaiting();
      return waiting;
    }
    if (request.depth > 0 && this.#counted < this.#options.maxIsolates) this.#serveWaiting();
    return lease;
  }

  #leaseNow(asked: Asked): Promise<Lease> | undefined {
    const { request, recipe } = asked;
    const found = this.#find(request, recipe);
    if (found) return this.#take(found, request, recipe);
    if (this.#patienceOf(asked) > 0) return undefined;
    return this.#reserve() ? this.#open(request, recipe, this.#startFor(request)) : undefined;
  }

  /**
   * For how long one goes on waiting while one of its own is expected to be free before a new one is there, in milliseconds; 0: not at all.
   * It is so where a stranger's idle isolate would have to end for a new one, or all cores have something to do already.
   */
  #patienceOf({ request: { identity, hash }, recipe, since }: Asked): number {
    if (!this.#isFull() && this.#atWork < (this.#options.cores ?? CORES)) return 0;
    const own = [...this.#entries].filter(
      ({ isolate }) =>
        isolate.identity === identity && isolate.recipe.key === recipe.key && isolate.prepared === hash,
    );
    const runs = own.flatMap(({ runMs }) => runMs ?? []);
    if (runs.length === 0) return 0;
    const startMs = Math.min(MOST_START_MS, ...own.map((entry) => entry.startMs));
    const ahead = this.#waiting.filter(
      ({ request }) => request.identity === identity && request.hash === hash,
    ).length;
    const expectedMs = (Math.max(...runs) * (ahead + 1)) / own.length;
    return expectedMs < startMs ? Math.max(0, since + startMs - performance.now()) : 0;
  }

  #startFor({ tree }: { tree: object | undefined }) {
    const start = { tree };
    this.#starting.add(start);
    return start;
  }

  /**
   * Who has the fewest places goes first: however many runs a run starts, they keep nobody else waiting for longer than one of them
   * takes. Of equals the deepest goes first: then only as many runs wait for others as are nested, and not all that could be started.
   */
  #goesBefore(one: LeaseRequest, other: LeaseRequest): boolean {
    const more = one.tree === other.tree ? 0 : this.#placesOf(one.tree) - this.#placesOf(other.tree);
    return more === 0 ? one.depth > other.depth : more < 0;
  }

  /** How many of the isolates that count are a tree's, those that start and kept places included. */
  #placesOf(tree: object): number {
    const [busy, starting, kept] = [[...this.#entries], [...this.#starting], [...this.#kept]];
    return (
      busy.filter((entry) => entry.tree === tree && entry.busy && entry.waitsFor === 0).length +
      starting.filter((start) => start.tree === tree).length +
      kept.filter((place) => place.tree === tree).length
    );
  }

  /** Ends all isolates, also those that run. Resolves when nothing is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#refillTimer);
    const reason = new IsolateError("The runtime was closed");
    for (const waiter of this.#waiting.splice(0)) {
      waiter.left();
      waiter.reject(reason);
    }
    this.#cancelOpening.abort();
    await Promise.allSettled(this.#opening);
    await Promise.all([...[...this.#entries].map((entry) => this.#end(entry, reason)), ...this.#closing]);
  }

  #assertOpen(): void {
    if (this.#closed) throw new IsolateError("The runtime was closed");
  }

  #find({ identity, hash }: LeaseRequest, recipe: IsolateRecipe): Entry | undefined {
    const free = [...this.#entries].filter(
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
    start: { tree: object | undefined },
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
      this.#starting.delete(start);
      // The place is another's now.
      this.#serveWaiting();
      throw error;
    }
    this.#starting.delete(start);
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
  #add(isolate: Isolate, tree: object | undefined, startMs: number): Entry {
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
    this.#entries.add(entry);
    this.#lastRecipe = isolate.recipe;
    isolate.onEnd = () => {
      // What ended by itself (a limit, a crash) is waited for as well when the pool closes.
      void this.#end(entry, new IsolateError("The isolate has ended"));
      this.#serveWaiting();
    };
    return entry;
  }

  #leaseOf(entry: Entry): Lease {
    let released = false;
    return {
      isolate: entry.isolate,
      wait: () => {
        const place: Place = {
          tree: entry.tree as object,
          end: () => {
            this.#kept.delete(place);
            entry.waitsFor--;
            this.#trim();
          },
        };
        if (entry.waitsFor++ === 0) this.#kept.add(place);
        return place;
      },
      hold: () => {
        entry.waitsFor++;
        this.#serveWaiting();
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
        if (this.#entries.delete(entry)) this.#entries.add(entry);
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
        this.#serveWaiting();
        this.#refill();
      },
    };
  }

  /** Whether there is a place below the bounds, ending isolates that were idle longest for it if need be. @param keep idle ones that stay */
  #reserve(keep = 0): boolean {
    while (this.#isFull()) if (!this.#endIdle(keep)) return false;
    return true;
  }

  /** Isolates that run something or start. */
  get #atWork(): number {
    return (
      [...this.#entries].filter(({ busy, waitsFor }) => busy && waitsFor === 0).length + this.#starting.size
    );
  }

  #isFull(): boolean {
    const { maxIsolates, memoryBytes } = this.#options;
    return (
      this.#counted >= maxIsolates || (this.#counted > 0 && this.#heldBytes() + EXPECTED_BYTES > memoryBytes)
    );
  }

  /** Isolates but those whose runs wait for other runs, and the places that are kept for those. */
  get #counted(): number {
    const waiting = [...this.#entries].filter(({ waitsFor }) => waitsFor > 0).length;
    return this.size.isolates - waiting + this.#kept.size;
  }

  /** Ends idle isolates that are beyond the bounds: what waited counts again. */
  #trim(): void {
    const { maxIsolates, memoryBytes } = this.#options;
    while ((this.#counted > maxIsolates || this.#heldBytes() > memoryBytes) && this.#endIdle());
  }

  #heldBytes(): number {
    return [...this.#entries].reduce(
      (sum, { isolate }) => sum + isolate.heldBytes,
      this.#starting.size * EXPECTED_BYTES,
    );
  }

  /**
   * Ends the isolate that was idle longest, of those first whose UDF has another one.
   * @returns whether there was one beyond those that stay
   */
  #endIdle(keep = 0): boolean {
    const all = [...this.#entries];
    const idle = all.filter((entry) => !entry.busy);
    const isLike = (one: Isolate, other: Isolate) =>
      one.identity === other.identity && one.prepared === other.prepared;
    const spared = idle.find((entry) =>
      all.some((other) => other !== entry && isLike(other.isolate, entry.isolate)),
    );
    const last = spared ?? idle[0];
    if (!last || idle.length <= keep) return false;
    void this.#end(last, new IsolateError("The isolate made room for another"));
    return true;
  }

  #wait(asked: Asked): Promise<Lease> {
    const { signal } = asked.request;
    return new Promise((resolve, reject) => {
      let patience: ReturnType<typeof setTimeout> | undefined;
      // Timers may be early.
      const waitPatiently = () => {
        const ms = this.#patienceOf(asked);
        if (ms === 0) return this.#serveWaiting();
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
      if (this.#patienceOf(asked) > 0) waitPatiently();
    });
  }

  /** The first in the queue that may go on tries again; from here on its lease minds the signal, or an isolate would be given to nobody. */
  #serveWaiting(): void {
    const now = performance.now();
    const hasOwn = new Map(
      this.#waiting.map((waiter) => [waiter, this.#find(waiter.request, waiter.recipe)]),
    );
    // Who waits for one of its own keeps nobody else waiting.
    const ready = this.#waiting.filter((waiter) => hasOwn.get(waiter) || this.#patienceOf(waiter) === 0);
    if (this.#closed || ready.length === 0) return;
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
      .then(() => this.#leaseOrWait(waiter, true))
      .then(waiter.resolve, waiter.reject);
  }

  /** Starts a spare once nobody has asked for anything for a while: it must not slow down who is working. */
  #refill(): void {
    clearTimeout(this.#refillTimer);
    if (this.#options.spares === 0) return;
    this.#refillTimer = setTimeout(() => this.#startSpare(), REFILL_DELAY_MS);
    (this.#refillTimer as { unref?(): void }).unref?.();
  }

  /** A spare of the kind that was used last. A failure shows when somebody needs one. */
  #startSpare(): void {
    const recipe = this.#lastRecipe;
    if (this.#closed || !recipe || this.size.spares + this.#starting.size >= this.#options.spares) return;
    if ([...this.#entries].some((entry) => entry.busy)) return;
    if (!this.#reserve(1)) return;
    const start = this.#startFor({ tree: undefined });
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
        this.#starting.delete(start);
        this.#serveWaiting();
      });
  }

  #end(entry: Entry, reason: Error): Promise<void> {
    clearTimeout(entry.idleTimer);
    this.#entries.delete(entry);
    const closing = entry.isolate.close(reason).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }
}

/** Results of runs that are kept for later ones: what the runtime asks of who keeps them. */
import type { Tile } from "./udf.ts";
import type { Encoded } from "./value.ts";

/** What a result depends on; the fields of the context that its run reads come on top. */
export interface ResultKey {
  principal: string;
  owner: string;
  udf: { name: string; hash: string };
  /** The engine's build and packages. */
  engine: string;
  /** What the run may do at most; the host's own kind of value. */
  permissions: unknown;
  /** Those that can change what a UDF answers. */
  limits: Readonly<Record<string, number>>;
  /** In the order of their names. */
  parameters: Encoded;
  tile: Tile | null;
  /** What whoever runs it has put before its results: another one forgets those that were kept before. */
  epoch?: string;
}

/** What a run depended on besides: the host notes it while the run goes on. */
export interface RunUses {
  /** Fields of the context: `userEmail`, `headers.accept`, `headers` for all of them. */
  fields: Set<string>;
  /**
   * False where nobody may get the result later: the run asked for a secret, ran another UDF, called what the program has added to the
   * host, or somebody was asked what it may do.
   */
  isShareable: boolean;
}

/** A run that ended well, as it came out of its isolate. */
export interface KeptRun {
  /** The isolate's whole reply. */
  reply: Encoded;
  stdout: string;
  stderr: string;
}

/** One that was kept. */
export interface FoundRun extends KeptRun {
  keptAtMs: number;
  /** The fields of the context that it depends on. */
  fields: readonly string[];
}

/** The right to run: others that want the same result wait until it ends, by whichever function. */
export interface RunLease {
  /** Keeps the result, if it may be kept. Never throws: a result that cannot be kept is reported, and is as good. */
  keep(run: KeptRun, uses: RunUses): Promise<void>;
  /** There is no result. Never throws. */
  abandon(): Promise<void>;
}

export interface FindOptions {
  /** What the run is told about itself; the host's own kind of value. */
  context: unknown;
  /** Older results do not count. */
  maxAgeMs: number;
  /** How long to wait for another run of the same. */
  waitMs: number;
  /** Runs it again, whatever is there. */
  reset: boolean;
  signal: AbortSignal | undefined;
}

export interface KeptResults {
  /**
   * Finds a result, or gives the right to make it to one run alone.
   * @returns undefined where nothing can be kept, or the wait was too long: then it is run, and that is all
   * @throws what the signal was aborted with
   */
  find(key: ResultKey, options: FindOptions): Promise<FoundRun | RunLease | undefined>;
}

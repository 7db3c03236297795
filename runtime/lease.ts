/** What a run asks of the pool for an isolate, and what it gets. */
import type { Isolate, IsolateRecipe } from "./isolate/isolate.ts";

/** A run that nobody's UDF asked for, and all runs below it. */
export interface Tree {
  readonly owner: string;
}

/** What a run asks for. */
export interface LeaseRequest {
  recipe: Promise<IsolateRecipe>;
  /** All that must be equal for two runs to share an isolate. */
  identity: string;
  /** Hash of the UDF's code and headers; null where none of it will run: then any realm will do. */
  hash: string | null;
  /** How many runs wait for this one, each for the next. */
  depth: number;
  tree: Tree;
  /** Of the run that waits for this one. */
  place: Place | undefined;
  signal: AbortSignal | undefined;
}

/** While a run waits for another one, its place among the isolates that count is kept for that one. */
export interface Place {
  readonly tree: Tree;
  /** The run goes on. */
  end(): void;
}

/** An isolate that a run has for itself. */
export interface Lease {
  isolate: Isolate;
  /** The run waits for another one, which needs an isolate, too: meanwhile this one counts for nothing. */
  wait(): Place;
  /** The same for many other runs, some of which may not have begun: none has its place for certain. @returns the function that ends it */
  hold(): () => void;
  /** Gives the isolate back; it is free once its memory is. */
  release(): void;
}

/** What an engine is on the host's side of the wall: it chooses what an isolate is made of, and prepares a source for it. */
import type { IsolateRecipe } from "../isolate/isolate.ts";
import type { NpmLock, PythonLock } from "../lock-file.ts";
import type { PackageCaller } from "../packages.ts";
import type { GuestFailure, Language, RunRequest, Udf, UdfSource } from "../udf.ts";

/** What is known of a run besides the source. */
export interface RecipeOptions {
  /** The run gets tables as parameters. */
  readsTables?: boolean;
  /** On whose behalf packages that are not on this machine may be fetched. Default: nobody's, so that none is. */
  caller?: PackageCaller;
}

export interface Engine {
  readonly languages: readonly Language[];
  /** What an isolate needs for this source. @throws PermissionDeniedError, AssetError when packages are missing. */
  recipe(source: UdfSource, options?: RecipeOptions): Promise<IsolateRecipe>;
  /** Which files its packages are, chosen anew. @throws PermissionDeniedError, AssetError, UdfLoadError */
  lock(source: UdfSource, caller: PackageCaller): Promise<PythonLock | NpmLock>;
  /**
   * The source as the guest takes it, compiled if need be.
   * @param caller on whose behalf packages may be used that are compiled into it. Default: nobody's
   * @throws UdfLoadError, PermissionDeniedError, AssetError
   */
  prepare(source: UdfSource, caller?: PackageCaller): Promise<NonNullable<RunRequest["udf"]>>;
  /**
   * What can be known of a source without running it.
   * @param ask sends a request to `inspect` of a guest of this engine
   */
  read(source: UdfSource, ask: (text: string) => Promise<unknown>): Promise<Udf>;
  /** Places in generated code become places in the user's. */
  locate(failure: GuestFailure, source: UdfSource): Promise<GuestFailure>;
}

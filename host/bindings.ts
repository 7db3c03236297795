/** How a platform's bindings are put together. */
import type { KeptResults } from "../runtime/results.ts";
import type { ResultsOptions } from "./cache/results.ts";
import type { Binding } from "./host.ts";
import type { Guard } from "./net/guard.ts";
import type { Transport } from "./net/transport.ts";

/** The bindings of one runtime, and the end of what they hold open. */
export interface OpenBindings {
  bindings: Readonly<Record<string, Binding>>;
  /** The guarded fetch, for what the host itself has to fetch. */
  openGuard(): Promise<Guard>;
  /** Where results of whole runs are kept. */
  keptResults(options: Omit<ResultsOptions, "cache">): Promise<KeptResults>;
  /** Closes connections, databases and files. */
  close(): Promise<void>;
}

/** A binding whose code is loaded when a UDF first calls it: most never do. */
export function lazyBinding(methods: readonly string[], load: () => Promise<Binding>): Binding {
  return Object.fromEntries(
    methods.map((method) => [
      method,
      async (args: readonly unknown[], call: Parameters<Binding[string]>[1]) =>
        (await load())[method]?.(args, call),
    ]),
  );
}

/**
 * The network of a runtime, loaded when a UDF first wants it.
 * @param loading a platform's transport @param closers gets the function that closes its connections
 */
export async function openNetwork(
  loading: Promise<{ openTransport(): Transport }>,
  closers: (() => Promise<unknown>)[],
) {
  const [{ openTransport }, { netBinding }, { Guard }] = await Promise.all([
    loading,
    import("./net/binding.ts"),
    import("./net/guard.ts"),
  ]);
  const transport = openTransport();
  closers.push(() => transport.close());
  // One for all: what is open is counted together.
  const guard = new Guard(transport);
  return { net: netBinding(guard), guard };
}

/** The methods of the binding `storage`. */
export const STORAGE_METHODS = [
  "list",
  "details",
  "get",
  "open",
  "put",
  "openWrite",
  "writePart",
  "commitWrite",
  "abortWrite",
  "delete",
  "sign",
  "signPrefix",
  "mounts",
];

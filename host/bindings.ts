/** How a platform's bindings are put together. */
import type { Binding } from "./host.ts";

/** The bindings of one runtime, and the end of what they hold open. */
export interface OpenBindings {
  bindings: Readonly<Record<string, Binding>>;
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
];

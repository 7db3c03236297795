/** How a platform's bindings are put together. */
import type { Binding } from "./host.ts";

/** The bindings of one runtime, and the end of what they hold open. */
export interface OpenBindings {
  bindings: Readonly<Record<string, Binding>>;
  /** Closes connections, databases and files. */
  close(): Promise<void>;
}

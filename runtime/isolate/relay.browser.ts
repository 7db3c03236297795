/** What the page and the sandboxed frame's document say to each other over their port, and the document to its worker. */
import type { Frame } from "../channel.ts";

/** From the page. `kill` and `ping` are answered at once; the rest is done in order. */
export type ToRelay =
  | { do: "asset"; name: string; bytes: Blob }
  | { do: "module"; name: string; bytes: Blob }
  | { do: "script"; text: string }
  /** Ends the worker that there is and starts another, which answers the request `id`; the port for its frames comes along. */
  | { do: "spawn"; id: number; text: string }
  | { do: "frame"; frame: Frame }
  | { do: "kill" }
  | { do: "ping" };

/** From the document. */
export type FromRelay =
  | { did: "open"; sharedMemory: boolean }
  | { did: "fail"; message: string }
  | { did: "kill" }
  | { did: "ping" };

/** The document's first message to a worker. After it come frames or, where there is a ring, one bell (`null`) for each frame in it. */
export interface WorkerStart {
  id: number;
  text: string;
  port: MessagePort;
  ring: SharedArrayBuffer | undefined;
  bytes: Record<string, ArrayBuffer>;
  modules: Record<string, WebAssembly.Module>;
}

/** From a worker to the document: there is room in the ring again. All else that a worker says goes to the page. */
export const ROOM = null;

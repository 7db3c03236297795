/** What a platform must do to hold isolates: start one, talk to it, end it. `platform.node.ts` and `platform.browser.ts` implement it. */
import type { Port } from "../channel.ts";

/** Something that an isolate needs before it starts, in the order in which it should arrive. */
export interface IsolateAsset {
  name: string;
  /** `module`: compiled on arrival. */
  kind: "module" | "bytes";
  bytes: Uint8Array;
}

export interface LaunchOptions {
  /** The most that the isolate as a whole may hold. */
  memoryBytes: number;
  /** Started ahead of need: it may spend longer on compiling its engine, so that the first run need not. */
  warm: boolean;
  /** The largest frame that may come from it. */
  maxFrameBytes: number;
}

/** A started, empty isolate: it gets assets and a script, and answers frames once the script runs. */
export interface IsolateProcess {
  readonly port: Port;
  /** Sends an asset. */
  provide(asset: IsolateAsset): void;
  /** Sends the script of the realm, and its compiled code where a former isolate gave it; it runs at the `start` request. */
  script(text: string, codeCache?: Uint8Array): void;
  /** Ends it at once, whatever it does. Idempotent. */
  kill(): void;
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>;
  /** Bytes of memory that it holds now, where the platform can tell; 0 once it is gone. */
  memoryBytes?(): number;
}

/** What a platform can and cannot do, by name: the one table for tests, documentation and messages. */
export interface Capabilities {
  /** Another principal's isolate is another operating system process. */
  processPerPrincipal: boolean;
  /** Python code can wait for the host without `await`. */
  blockingCalls: boolean;
  /** Python reads files of the host on demand; elsewhere they are loaded whole. */
  onDemandFiles: boolean;
  /** Memory outside of the engine's heap is bounded too. */
  totalMemoryBound: boolean;
  /** An ended isolate stops using the processor at once. */
  instantKill: boolean;
  /** An isolate whose host is gone is ended, whatever it does (by the system, or by a shell); elsewhere the engine looks at the clock. */
  endsOrphans: boolean;
  /** Stored builds are protected against tampering, not only against corruption. */
  authenticatedCache: boolean;
  /** UDFs can be read from files and folders. */
  fileSystem: boolean;
}

export interface IsolatePlatform {
  readonly name: string;
  readonly capabilities: Readonly<Capabilities>;
  /** Part of the keys of snapshots: engines with other abilities make other memory. */
  readonly snapshotFlavor: string;
  launch(options: LaunchOptions): Promise<IsolateProcess>;
  /** Looks at the host's thread, where the platform can. @returns whether it has been at work for most of the time since */
  watchThread?(): () => boolean;
}

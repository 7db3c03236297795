/** Storage as a run sees it, for cases on every platform. */
import { RunFiles } from "../../host/files/files.ts";
import type { Call } from "../../host/host.ts";
import { createBroker, type Decision } from "../../host/permissions/broker.ts";
import { checkPermissions, type Permissions } from "../../host/permissions/descriptor.ts";
import { storageBinding } from "../../host/storage/binding.ts";
import type { Entry, Listing } from "../../host/storage/driver.ts";
import type { StorageOptions } from "../../host/storage/storage.ts";

/** The binding's methods, with their arguments as a guest gives them. */
export interface StorageRun {
  list(url: unknown, options?: unknown): Promise<Listing>;
  details(url: unknown): Promise<Entry>;
  get(url: unknown, range?: unknown): Promise<Uint8Array>;
  open(url: unknown): Promise<{ file: number; size: number }>;
  put(url: unknown, bytes: unknown, options?: unknown): Promise<null>;
  openWrite(url: unknown, options?: unknown): Promise<number>;
  writePart(upload: unknown, bytes: unknown): Promise<null>;
  commitWrite(upload: unknown): Promise<null>;
  abortWrite(upload: unknown): Promise<null>;
  delete(url: unknown, options?: unknown): Promise<boolean>;
  sign(url: unknown, options?: unknown): Promise<string>;
  signPrefix(url: unknown, options?: unknown): Promise<Record<string, string>>;
  /** Of the binding `files`. */
  read(file: number, position: number, length: number): Promise<Uint8Array>;
  readonly call: Call;
  /** What the broker decided, in order. */
  readonly decisions: Decision[];
  /** Ends the run. */
  end(): void;
}

export interface RunOptions {
  /** Default: all is granted. */
  permissions?: Permissions;
  principal?: string;
}

/** Runs on one storage. */
export interface Runs {
  (options?: RunOptions): StorageRun;
  /** Ends all of them. */
  end(): void;
}

export function openRuns(drivers: StorageOptions["drivers"], more: Partial<StorageOptions> = {}): Runs {
  const files = new RunFiles();
  const binding = storageBinding({ drivers, files, ...more });
  const controllers: AbortController[] = [];
  const open: (options?: RunOptions) => StorageRun = ({
    permissions = { read: true, write: true, net: true },
    principal = "me",
  } = {}) => {
    const effective = checkPermissions(permissions);
    const decisions: Decision[] = [];
    const broker = createBroker({
      permissions: effective,
      onDecision: (decision) => decisions.push(decision),
    });
    const controller = new AbortController();
    controllers.push(controller);
    const caller = {
      principal,
      udf: { name: "test", hash: "0" },
      runId: "1",
      permissions: effective,
      signal: controller.signal,
    };
    const call = {
      ...caller,
      owner: principal,
      context: {},
      taken: () => Promise.resolve(),
      require: (...[permission, value]: Parameters<Call["require"]>) =>
        broker.require(permission, value, caller),
    } as unknown as Call;
    const methods = Object.entries(binding).map(([name, method]) => [
      name,
      async (...args: unknown[]) => (await method(args, call)) ?? null,
    ]);
    return {
      ...(Object.fromEntries(methods) as Omit<StorageRun, "read" | "call" | "decisions" | "end">),
      read: async (...args) => (await files.binding.read?.(args, call)) as Uint8Array,
      call,
      decisions,
      end: () => controller.abort(),
    };
  };
  const end = () => {
    for (const controller of controllers.splice(0)) controller.abort();
  };
  return Object.assign(open, { end });
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Bytes in which each place can be told from its neighbours. */
export function pattern(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761);
  return new Uint8Array(words.buffer, 0, length);
}

/**
 * The binding `cache`: what `@fused.cache` in a UDF asks for. A UDF names its results itself, within what the host puts before
 * each name: two principals, two UDFs or two grants never meet.
 */
import { PermissionDeniedError } from "../../runtime/errors.ts";
import { showReceived } from "../../runtime/show.ts";
import type { Encoded } from "../../runtime/value.ts";
import type { Room } from "../files/room.ts";
import type { Binding, Call } from "../host.ts";
import { usedSecret } from "../secrets/runs.ts";
import { StoreError } from "../store/errors.ts";
import { AGE_RULE, MAX_AGE_MS, parseAge } from "./age.ts";
import { sha256 } from "./blobs.ts";
import type { Cache, Lease } from "./cache.ts";
import { canonical } from "./canonical.ts";
import { CacheError } from "./errors.ts";
import { pack, unpack } from "./packed.ts";

export interface CacheBindingOptions {
  cache: Cache;
  /** Where all that is read for a run finds room. */
  roomOf(call: Call): Room;
}

const FORMATS = ["json", "bytes", "arrow", "pickle"];
/** For guests without a hash function and an encoding of their own: the host makes the key, and packs values. */
const VALUE_FORMAT = "value";
const STORAGES = ["auto", "local", "mount", "object"];
const FIELDS = ["key", "name", "folder", "storage", "maxAgeMs", "reset", "lockTimeoutMs"];
const MAX_BUFFERS = 1000;
/** What one run may compute at the same time. */
const MAX_LEASES = 1000;
const MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000;
/** The default age: the reference's option `cache_decorator_max_age`, and the header of a request that sets another. */
const DEFAULT_AGE_MS = 48 * 60 * 60 * 1000;
const AGE_HEADER = "cache-decorator-max-age";

/** What is known of a run. */
interface Run {
  /** Stands before each of its keys. */
  prefix: Promise<string>;
  /** Null: a result that is not to be kept. */
  leases: Map<number, Lease | null>;
  lastLease: number;
}

interface BeginRequest {
  key: string | Encoded;
  name: string;
  folder: string;
  storage: string;
  maxAgeMs: number;
  reset: boolean;
  lockTimeoutMs: number;
}

/**
 * Makes the binding: `begin(request)`, `commit(lease, { format, body })` and `abandon(lease)`. A lease ends with its run.
 *
 * The request's `key` is a hash, or an encoded value `{ text, buffers }` that is hashed here; `maxAgeMs` may be null, for the default. A
 * body is bytes, or for the format `value` an encoded value.
 *
 * Without the permission `cache`, `begin` answers `{ state: "off", reason }`. All fail with CacheError.
 */
export function cacheBinding({ cache, roomOf }: CacheBindingOptions): Binding {
  const runs = new WeakMap<AbortSignal, Run>();
  const runOf = (call: Call): Run => {
    const { signal } = call;
    const known = runs.get(signal);
    if (known) return known;
    const run: Run = { prefix: prefixOf(call), leases: new Map(), lastLease: 0 };
    runs.set(signal, run);
    signal.addEventListener(
      "abort",
      () => {
        // One that cannot be given back is taken over when it is time.
        for (const lease of run.leases.values()) lease?.abandon().catch(() => {});
        run.leases.clear();
      },
      { once: true },
    );
    return run;
  };
  const give = (run: Run, lease: Lease | null) => {
    run.leases.set(++run.lastLease, lease);
    return { state: "compute", lease: run.lastLease };
  };
  /** Takes a lease out of its run: it ends now. */
  const take = (id: unknown, call: Call): Lease | null => {
    const { leases } = runOf(call);
    const lease = leases.get(id as number);
    if (lease === undefined)
      throw wrong("lease", "one that `begin` gave to this run, and that has not ended", id);
    leases.delete(id as number);
    return lease;
  };
  return {
    async begin(args, call) {
      const { key, name, folder, storage, maxAgeMs, reset, lockTimeoutMs } = readRequest(args, call);
      const reason = await denial(call);
      if (reason !== undefined) return { state: "off", reason };
      if (storage === "mount" || storage === "object") throw unconfigured(storage);
      call.signal.throwIfAborted();
      const run = runOf(call);
      if (run.leases.size >= MAX_LEASES)
        throw wrong("begin", `called for at most ${MAX_LEASES} results at once`, run.leases.size + 1);
      if (maxAgeMs === 0) return give(run, null);
      // Until it is answered: of many large hits at once, one waits for the other.
      let leave = () => {};
      const makeRoom = async (bytes: number) => {
        leave();
        leave = await roomOf(call).hold(bytes);
        call.signal.throwIfAborted();
      };
      const found = await orCacheError("look into the cache", async () =>
        cache.begin({
          key: `${await run.prefix}/${typeof key === "string" ? key : await hashOf(key)}/${folder}`,
          maxAgeMs,
          reset,
          lockTimeoutMs,
          labels: { name, udf: call.udf.name, principal: call.principal, folder },
          makeRoom,
          signal: call.signal,
        }),
      ).finally(() => leave());
      if (found.state === "hit") {
        const { createdAtMs, format } = found.entry;
        const body = format === VALUE_FORMAT ? unpack(found.body) : found.body;
        return { state: "hit", createdAtMs, format, body };
      }
      if (call.signal.aborted) await found.lease.abandon();
      return give(run, found.lease);
    },
    async commit(args, call) {
      const [id, result] = readArguments("commit", args, 2);
      const { format, body } = readObject("result", result, ["format", "body"]);
      const kept = { format: format as string, body: readBody(format, body) };
      const lease = take(id, call);
      const isSecret = usedSecret(call.signal);
      await orCacheError("keep a result", async () => (isSecret ? lease?.abandon() : lease?.commit(kept)));
      return null;
    },
    async abandon(args, call) {
      const [id] = readArguments("abandon", args, 1);
      const lease = take(id, call);
      await orCacheError("give up a result", async () => lease?.abandon());
      return null;
    },
  };
}

/** Why nothing may be kept, or undefined. */
async function denial(call: Call): Promise<string | undefined> {
  if (usedSecret(call.signal))
    return "the run has seen the value of a secret, and the cache is not encrypted";
  try {
    await call.require("cache", "");
    return undefined;
  } catch (error) {
    if (error instanceof PermissionDeniedError) return error.message;
    throw error;
  }
}

/** What stands before the keys of a run: the same for all runs that may share results. */
function prefixOf({ principal, udf, engine, permissions }: Call): Promise<string> {
  return sha256(JSON.stringify([principal, udf.hash, engine, canonical(permissions)]));
}

/** Another hash than that of any text: a guest that hashes for itself meets none of these. */
async function hashOf({ text, buffers }: Encoded): Promise<string> {
  return sha256(JSON.stringify(["value", text, ...(await Promise.all(buffers.map(sha256)))]));
}

function readBody(format: unknown, body: unknown): Uint8Array {
  if (format === VALUE_FORMAT) return pack(readEncoded("body", body));
  if (!FORMATS.includes(format as string))
    throw wrong("format", `one of ${[...FORMATS, VALUE_FORMAT].join(", ")}`, format);
  return body instanceof Uint8Array ? body : fail("body", "bytes", body);
}

function readEncoded(name: string, value: unknown): Encoded {
  const { text, buffers } = readObject(name, value, ["text", "buffers"]);
  if (typeof text !== "string") throw wrong(`${name}.text`, "a text", text);
  if (!Array.isArray(buffers) || buffers.length > MAX_BUFFERS)
    throw wrong(`${name}.buffers`, `a list of at most ${MAX_BUFFERS}`, buffers);
  for (const buffer of buffers)
    if (!(buffer instanceof Uint8Array)) throw wrong(`${name}.buffers`, "bytes", buffer);
  return { text, buffers };
}

function readRequest(args: readonly unknown[], call: Call): BeginRequest {
  const [request] = readArguments("begin", args, 1);
  const { key, name, folder, storage, maxAgeMs, reset, lockTimeoutMs } = readObject(
    "request",
    request,
    FIELDS,
  );
  if (typeof key === "string" && !/^[0-9a-f]{64}$/.test(key))
    throw wrong("key", "64 hexadecimal digits", key);
  if (typeof name !== "string" || name.length > 256) throw wrong("name", "at most 256 characters", name);
  if (folder !== null && !isFolder(folder))
    throw wrong("folder", "a relative path of at most 200 characters without '..'", folder);
  if (!STORAGES.includes(storage as string)) throw wrong("storage", `one of ${STORAGES.join(", ")}`, storage);
  if (typeof reset !== "boolean") throw wrong("reset", "true or false", reset);
  return {
    key: typeof key === "string" ? key : readEncoded("key", key),
    name,
    folder: folder ?? "",
    storage: storage as string,
    maxAgeMs: maxAgeMs === null ? defaultAge(call) : readMs("maxAgeMs", maxAgeMs, MAX_AGE_MS),
    reset,
    lockTimeoutMs: readMs("lockTimeoutMs", lockTimeoutMs, MAX_TIMEOUT_MS),
  };
}

/** What a request asks for by its header, else the reference's default. */
function defaultAge({ context }: Call): number {
  const asked = context.headers[AGE_HEADER];
  if (asked === undefined) return DEFAULT_AGE_MS;
  return (
    parseAge(/^\d+$/.test(asked) ? Number(asked) : asked) ?? fail(`the header ${AGE_HEADER}`, AGE_RULE, asked)
  );
}

function readArguments(method: string, args: readonly unknown[], count: number): readonly unknown[] {
  if (args.length !== count) throw wrong(method, `called with ${count} arguments`, args.length);
  return args;
}

function readObject(name: string, value: unknown, fields: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(name, "an object", value);
  const given = Object.keys(value);
  const odd =
    fields.find((field) => !given.includes(field)) ?? given.find((field) => !fields.includes(field));
  if (odd !== undefined) throw wrong(name, `an object with the fields ${fields.join(", ")}`, odd);
  return value as Record<string, unknown>;
}

function readMs(name: string, value: unknown, most: number): number {
  if (typeof value !== "number" || !(value >= 0 && value <= most))
    throw wrong(name, `a number of milliseconds from 0 to ${most}`, value);
  return value;
}

/** A name with slashes: nothing is ever looked up in the file system by it. */
function isFolder(folder: unknown): folder is string {
  return (
    typeof folder === "string" &&
    folder.length <= 200 &&
    folder.isWellFormed() &&
    !/[\p{Cc}\p{Cf}\\:]/u.test(folder) &&
    folder.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}

function fail(name: string, rule: string, received: unknown): never {
  throw wrong(name, rule, received);
}

/** The guest's own value is shown, cut off. */
function wrong(name: string, rule: string, received: unknown): CacheError {
  const shown =
    typeof received === "string" ? JSON.stringify(received.slice(0, 100)) : showReceived(received);
  return new CacheError(`Cannot use the cache: ${name} must be ${rule}: received ${shown}`, {
    code: "request",
  });
}

function unconfigured(storage: string): CacheError {
  return new CacheError(
    `Cannot use the cache storage "${storage}": this host has none set up; use "auto" or "local", or run where a storage for it is configured`,
    { code: "storage" },
  );
}

/** A store's own error names files of the machine: a UDF learns only what it means. */
async function orCacheError<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    const why = {
      full: "there is no room left for it; remove files, or lower the cache's size",
      busy: "other processes write to it all the time",
      damaged: "it is damaged; clear it",
      version: "a newer fuselet has written it; use that one, or another cache folder",
    }[cause.code as string];
    throw new CacheError(`Cannot ${what}: ${why ?? "its storage cannot be read or written"}`, {
      code: "storage",
      cause,
    });
  }
}

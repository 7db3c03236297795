/** Keeping what a function returned, over runs and processes: `@fused.cache` for TypeScript. */
import { AGE_RULE, parseAge } from "../../host/cache/age.ts";
import {
  decodeValue,
  type Encoded,
  encodeValue,
  MediaValue,
  NdArray,
  TableValue,
} from "../../runtime/value.ts";
import { door } from "./door.ts";

export interface CacheOptions {
  /**
   * An older result is computed again: a whole number and s, m, h or d (`"12h"`), or seconds; 0 neither reads nor keeps. Default: what the
   * request's header cache-decorator-max-age says, else 48 hours.
   */
  maxAge?: number | string;
  /** Tells functions with one source apart. Default: the function's name. */
  name?: string;
  /** What the result depends on beside the arguments: values that the function finds around it. */
  key?: unknown;
  /** How long a call waits while another one computes the same result. Default 120,000. */
  lockTimeoutMs?: number;
}

/** A function whose results are kept. */
export interface CachedFunction<Args extends unknown[], Result> {
  /**
   * @throws what the function throws, which is not kept; TypeError for an argument that has no content to tell it by; an Error named
   *   CacheError where it has waited too long
   */
  (...args: Args): Promise<Result>;
  /** Computes again, and keeps that. */
  reset(...args: Args): Promise<Result>;
}

interface Request {
  key: Encoded;
  name: string;
  folder: null;
  storage: "auto";
  maxAgeMs: number | null;
  reset: boolean;
  lockTimeoutMs: number;
}

type Answer =
  | { state: "hit"; body: Encoded }
  | { state: "compute"; lease: number }
  | { state: "off"; reason: string };

/** Changes whenever keys or values are made in another way. */
const VERSION = "fuselet cache 1";
const FORMAT = "value";
/** Beside JSON: what comes back from the cache as it went in. */
const KEPT = new Map<unknown, string>([
  [Uint8Array, "Uint8Array"],
  [NdArray, "NdArray"],
  [TableValue, "TableValue"],
  [MediaValue, "MediaValue"],
]);

/**
 * Wraps a function so that its results are kept, for all runs of this UDF by the same principal with the same permissions. Needs the
 * permission `cache`; without it, and where nothing can be kept, the function is called each time, and that is said on the console once.
 *
 * Results count for calls with equal arguments, by type and content. What the function reads around it does not count: name it in `key`. (Its
 * code does, and all code of the UDF.) JSON, bytes, arrays, tables and documents are kept: what holds anything else (a Date, a Map) is not.
 *
 * @example
 * const squares = cache(async (n: number) => slowly(n), { maxAge: "1h" });
 * export default async ({ n }: { n: number }) => squares(n);
 * @throws TypeError for what is no function, or has no source and no `key`; RangeError for an option that is wrong
 */
export function cache<Args extends unknown[], Result>(
  fn: (...args: Args) => Result,
  options: CacheOptions = {},
): CachedFunction<Args, Awaited<Result>> {
  if (typeof fn !== "function")
    throw new TypeError(`Cannot cache: it must be a function: received ${typeof fn}`);
  const { maxAge, name = fn.name, key, lockTimeoutMs = 120_000 } = options;
  const maxAgeMs = maxAge === undefined ? null : parseAge(maxAge);
  if (maxAgeMs === undefined) throw wrong("maxAge", AGE_RULE, maxAge);
  if (!(lockTimeoutMs >= 0)) throw wrong("lockTimeoutMs", "a number of milliseconds from 0", lockTimeoutMs);
  const label = name.slice(0, 100);
  const source = String(fn);
  if (key === undefined && /\[native code\]\s*\}$/.test(source)) {
    throw new TypeError(
      `Cannot cache ${label || "the function"}: it has no source to tell it by, as bound functions have none: wrap it, (x) => f(x), or name in \`key\` what it does and what it is bound to`,
    );
  }

  const call = async (args: Args, reset: boolean): Promise<Awaited<Result>> => {
    if (maxAgeMs === 0) return fn(...args) as Awaited<Result>;
    const found = await begin({
      key: keyOf(label, source, key, args),
      name: label,
      folder: null,
      storage: "auto",
      maxAgeMs,
      reset,
      lockTimeoutMs,
    });
    if (found?.state === "hit") {
      const kept = unpack(found.body);
      return kept ? (kept[0] as Awaited<Result>) : call(args, true);
    }
    if (found?.state !== "compute") return await fn(...args);
    let result: Awaited<Result>;
    try {
      result = await fn(...args);
    } catch (error) {
      await quietly(label, () => door.call("cache.abandon", found.lease));
      throw error;
    }
    await quietly(label, () => keep(label, found.lease, result));
    return result;
  };
  return Object.assign((...args: Args) => call(args, false), { reset: (...args: Args) => call(args, true) });
}

/** @returns undefined where nothing can be kept */
async function begin(request: Request): Promise<Answer | undefined> {
  try {
    const answer = (await door.call("cache.begin", request)) as Answer;
    if (answer.state === "off") sayOnce(`Results are not kept: ${answer.reason}`);
    return answer;
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown };
    if (code === "timeout" || code === "request") throw error;
    sayOnce(`The results of ${request.name} are not kept: ${message}`);
    return undefined;
  }
}

async function keep(name: string, lease: number, result: unknown): Promise<unknown> {
  const { body, why } = encode(result);
  if (body) return door.call("cache.commit", lease, { format: FORMAT, body });
  sayOnce(`The result of ${name} is not kept: ${why}`);
  return door.call("cache.abandon", lease);
}

/** A result for the cache, or why it is none. */
function encode(result: unknown): { body?: Encoded; why?: string } {
  // Undefined is no JSON.
  if (result === undefined) return { body: encodeValue([]) };
  try {
    const body = encodeValue([result]);
    const odd = kindsOf(result).find(({ isKept }) => !isKept);
    return odd ? { why: `it holds ${odd.kind}, which would not come back as it is` } : { body };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

/** Undefined for what an earlier version has written. */
function unpack(body: Encoded): unknown[] | undefined {
  try {
    return decodeValue(body) as unknown[];
  } catch {
    return undefined;
  }
}

/** A failure of the cache is none of the function's. */
async function quietly(name: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    sayOnce(`The result of ${name} is not kept: ${(error as Error).message}`);
  }
}

/** @throws TypeError that names what has no content to tell it by */
function keyOf(name: string, source: string, key: unknown, args: readonly unknown[]): Encoded {
  try {
    const parts = [encodeValue(key, "key"), encodeValue(args, "argument")];
    const kinds = kindsOf([key, args]).map(({ position, kind }) => `${position} ${kind}`);
    return {
      text: JSON.stringify([VERSION, name, source, ...parts.map(({ text }) => text), kinds]),
      buffers: parts.flatMap(({ buffers }) => buffers),
    };
  } catch (error) {
    const message = (error as Error).message.replace("Cannot return ", "");
    throw new TypeError(`Cannot make a cache key for ${name}: ${message}`);
  }
}

/** What is no JSON in a value, with its position: encoded, some of it looks like other things. The value has no cycles. */
function kindsOf(value: unknown): { position: number; kind: string; isKept: boolean }[] {
  const found: { position: number; kind: string; isKept: boolean }[] = [];
  let position = 0;
  const note = (kind: string, isKept: boolean) => found.push({ position, kind, isKept });
  const walk = (item: unknown): void => {
    position++;
    if (item === null || ["string", "number", "boolean"].includes(typeof item)) return;
    const prototype: unknown = typeof item === "object" ? Object.getPrototypeOf(item) : undefined;
    if (prototype === undefined) note(`a ${typeof item}`, false);
    else if (Array.isArray(item)) for (const each of item) walk(each);
    else if (prototype === null || prototype === Object.prototype)
      Object.values(item as object).forEach(walk);
    else {
      const kind = (item as object).constructor;
      note(KEPT.get(kind) ?? `an object of class ${kind?.name}`, KEPT.has(kind));
      if (item instanceof Map || item instanceof Set) for (const each of item) walk(each);
    }
  };
  walk(value);
  return found;
}

/** Memory is put back after a run: it is said once in each. */
const said = new Set<string>();

function sayOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  console.warn(message);
}

function wrong(option: string, rule: string, received: unknown): RangeError {
  return new RangeError(`Cannot cache: ${option} must be ${rule}: received ${JSON.stringify(received)}`);
}

/**
 * The way out of QuickJS: the one host function, and the intrinsics that this script goes on using whatever the UDF does to them.
 * Code that must not notice what a UDF has changed takes these, walks `List`s by index, waits with `settle`, and puts texts together
 * with `joinText`.
 */
import { HOST_NAME, OP } from "../ops.ts";

type Host = (op: number, ...args: unknown[]) => unknown;

const globals = globalThis as unknown as Record<string, unknown>;

/** Calls the code around QuickJS; operations are in ops.ts. */
export const host = globals[HOST_NAME] as Host;
delete globals[HOST_NAME];

export const { parse: parseJson, stringify: toJson } = JSON;
export const {
  apply,
  getPrototypeOf,
  setPrototypeOf,
  ownKeys,
  getOwnPropertyDescriptor,
  defineProperty,
  deleteProperty,
} = Reflect;
export const { isArray } = Array;
export const { floor, max, min } = Math;
export const { create, hasOwn, keys: ownNames } = Object;
export const IntrinsicPromise = Promise;
export const IntrinsicError = Error;
export const Bytes = Uint8Array;
const IntrinsicString = String;
const IntrinsicTypeError = TypeError;
const IntrinsicRangeError = RangeError;

export const uncurry =
  <This, Args extends unknown[], Result>(method: (this: This, ...args: Args) => Result) =>
  (self: This, ...args: Args): Result =>
    apply(method, self, args) as Result;

const text = String.prototype;
export const slice = uncurry(text.slice);
export const indexOf = uncurry(text.indexOf);
export const lower = uncurry(text.toLowerCase);
export const upper = uncurry(text.toUpperCase);
export const wellFormed = uncurry(text.toWellFormed);
export const exec = uncurry(RegExp.prototype.exec);

const bytesPrototype = getPrototypeOf(Uint8Array.prototype) as Uint8Array;
const getter = (prototype: object, name: string | symbol) =>
  uncurry(getOwnPropertyDescriptor(prototype, name)?.get as (this: unknown) => never) as (
    self: unknown,
  ) => never;

const bufferOf: (bytes: unknown) => ArrayBuffer = getter(bytesPrototype, "buffer");
const offsetOf: (bytes: unknown) => number = getter(bytesPrototype, "byteOffset");
export const byteLength: (bytes: unknown) => number = getter(bytesPrototype, "byteLength");
const kindOf: (value: unknown) => string | undefined = getter(bytesPrototype, Symbol.toStringTag);
const sizeOf: (buffer: unknown) => number = getter(ArrayBuffer.prototype, "byteLength");
const viewBuffer: (view: unknown) => ArrayBuffer = getter(DataView.prototype, "buffer");
const viewOffset: (view: unknown) => number = getter(DataView.prototype, "byteOffset");
const viewLength: (view: unknown) => number = getter(DataView.prototype, "byteLength");
const { isView } = ArrayBuffer;
const sliceBuffer = uncurry(ArrayBuffer.prototype.slice);
const setBytes = uncurry(bytesPrototype.set);
export const indexOfByte = uncurry(bytesPrototype.indexOf);

/** The bytes as an ArrayBuffer of their own. @throws TypeError for what only looks like a Uint8Array */
export function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  const buffer = bufferOf(bytes);
  const length = byteLength(bytes);
  return length === sizeOf(buffer) ? buffer : sliceBuffer(buffer, offsetOf(bytes), offsetOf(bytes) + length);
}

/** Part of the bytes, not copied. */
export const part = (bytes: Uint8Array, start: number, end = byteLength(bytes)): Uint8Array =>
  new Bytes(bufferOf(bytes), offsetOf(bytes) + start, end - start);

export const isBytes = (value: unknown): value is Uint8Array => kindOf(value) === "Uint8Array";

/** The bytes of an ArrayBuffer or a view, not copied; null for anything else. */
export function bytesOf(value: unknown): Uint8Array | null {
  if (isView(value)) {
    return kindOf(value) === undefined
      ? new Bytes(viewBuffer(value), viewOffset(value), viewLength(value))
      : new Bytes(bufferOf(value), offsetOf(value), byteLength(value));
  }
  try {
    return new Bytes(value as ArrayBuffer, 0, sizeOf(value));
  } catch {
    return null;
  }
}

/** Lists of bytes as one; of a single one, itself. */
export function joinBytes(parts: List<Uint8Array>): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  let length = 0;
  for (let i = 0; i < parts.length; i++) length += byteLength(parts[i]);
  const all = new Bytes(length);
  for (let i = 0, at = 0; i < parts.length; at += byteLength(parts[i++]))
    setBytes(all, parts[i] as never, at);
  return all;
}

export const encodeUtf8 = (characters: string): Uint8Array =>
  new Bytes(host(OP.encode, toJson(characters)) as ArrayBuffer);

/** As TextDecoder does: without a byte order mark, U+FFFD for what is no UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string =>
  parseJson(host(OP.decode, exactBuffer(bytes), false, false) as string) as string;

/** Takes the prototype of a literal away: a UDF may have put `toJSON` or setters there. */
export function bare<T extends object>(literal: T): T {
  setPrototypeOf(literal, null);
  return literal;
}

/** An array without a prototype. */
export interface List<T> {
  length: number;
  [index: number]: T;
}
export const list = <T>(): List<T> => bare<T[]>([]);

/** A value as text, as the web's interfaces convert it. @throws TypeError for a symbol */
export function textOf(value: unknown): string {
  if (typeof value === "symbol") throw typeError("Cannot convert a symbol to a text");
  return IntrinsicString(value);
}

/** Texts as one. QuickJS makes template literals by calling `String.prototype.concat`, which is the UDF's to change. */
export function joinText(...texts: unknown[]): string {
  let all = "";
  for (let i = 0; i < texts.length; i++) all += texts[i];
  return all;
}

/** The text with all of `from` replaced. */
export function replaceText(all: string, from: string, to: string): string {
  let out = "";
  let at = 0;
  for (let found = indexOf(all, from); found >= 0; found = indexOf(all, from, at)) {
    out += slice(all, at, found) + to;
    at = found + from.length;
  }
  return out + slice(all, at);
}

/** Calls `done` or `failed` once the value, which may be a promise, is settled; never at once. */
export async function settle(
  value: unknown,
  done: (value: unknown) => void,
  failed: (reason: unknown) => void,
): Promise<void> {
  let settled: unknown;
  try {
    settled = await value;
  } catch (error) {
    failed(error);
    return;
  }
  done(settled);
}

export const nothing = (): void => undefined;

export const typeError = (message: string, cause?: unknown): TypeError =>
  new IntrinsicTypeError(message, cause === undefined ? undefined : { cause });

export const rangeError = (message: string): RangeError => new IntrinsicRangeError(message);

/** A dictionary argument of the web's: nothing for undefined and null. @throws TypeError for what is no object */
export function dictionary(value: unknown, what: string): Record<string, unknown> {
  if (value === undefined || value === null) return create(null);
  if (typeof value !== "object" && typeof value !== "function")
    throw typeError(joinText(what, " must be an object: received ", typeof value));
  return value as Record<string, unknown>;
}

/** Gives an object a property whatever it inherits: writable and configurable, enumerable only where that is said. */
export function define(object: object, name: PropertyKey, value: unknown, enumerable = false): void {
  defineProperty(object, name, bare({ value, writable: true, configurable: true, enumerable }));
}

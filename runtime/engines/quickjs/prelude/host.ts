/** The way out of QuickJS: the one host function, and the intrinsics that this script goes on using whatever the UDF does to them. */
import { HOST_NAME } from "../ops.ts";

type Host = (op: number, ...args: unknown[]) => unknown;

const globals = globalThis as unknown as Record<string, unknown>;

/** Calls the code around QuickJS; operations are in ops.ts. */
export const host = globals[HOST_NAME] as Host;
delete globals[HOST_NAME];

export const { parse: parseJson, stringify: toJson } = JSON;
export const { apply, getPrototypeOf, ownKeys, getOwnPropertyDescriptor, defineProperty, deleteProperty } =
  Reflect;
export const { isArray } = Array;
export const { create, hasOwn, keys: ownNames } = Object;

const uncurry =
  <This, Args extends unknown[], Result>(method: (this: This, ...args: Args) => Result) =>
  (self: This, ...args: Args): Result =>
    apply(method, self, args) as Result;

const bytesPrototype = getPrototypeOf(Uint8Array.prototype) as object;
const getter = (prototype: object, name: string) =>
  uncurry(getOwnPropertyDescriptor(prototype, name)?.get as (this: unknown) => never) as (
    self: unknown,
  ) => never;

const bufferOf: (bytes: unknown) => ArrayBuffer = getter(bytesPrototype, "buffer");
const offsetOf: (bytes: unknown) => number = getter(bytesPrototype, "byteOffset");
const lengthOf: (bytes: unknown) => number = getter(bytesPrototype, "byteLength");
const sizeOf: (buffer: unknown) => number = getter(ArrayBuffer.prototype, "byteLength");
const sliceBuffer = uncurry(ArrayBuffer.prototype.slice);

/** The bytes as an ArrayBuffer of their own. @throws TypeError for what only looks like a Uint8Array */
export function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  const buffer = bufferOf(bytes);
  const length = lengthOf(bytes);
  return length === sizeOf(buffer) ? buffer : sliceBuffer(buffer, offsetOf(bytes), offsetOf(bytes) + length);
}

/** Adds a global the way the platform's own are: writable, configurable, not enumerable. */
export function addGlobal(name: string, value: unknown): void {
  defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

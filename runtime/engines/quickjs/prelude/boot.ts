/**
 * The script that is evaluated in QuickJS before any UDF: it adds the globals, coerces parameters, calls the UDF and reports what
 * came of it. Bundled with the SDK's guest side into one module (prelude.node.ts); nothing in it is reachable from a UDF.
 */
import { ResultError } from "../../../errors.ts";
import { decodeValue, type Encoded, encodeValue } from "../../../value.ts";
import { GUEST_GLOBALS } from "../globals.ts";
import { ENTRY, OP } from "../ops.ts";
import type { CallPlan, QuickJsRequest } from "../plan.ts";
import { AbortController, AbortSignal } from "./abort.ts";
import { Blob, File } from "./blob.ts";
import { answer, giveBuffer, startCall, takeBuffer } from "./calls.ts";
import { structuredClone } from "./clone.ts";
import { console } from "./console.ts";
import { DOMException } from "./dom-exception.ts";
import { Event, EventTarget } from "./events.ts";
import { fail, hostError, isOutOfMemory, isSyntaxFailure } from "./failure.ts";
import { fetch } from "./fetch.ts";
import { FormData } from "./form-data.ts";
import { Headers } from "./headers.ts";
import {
  apply,
  define,
  defineProperty,
  deleteProperty,
  host,
  IntrinsicError,
  IntrinsicPromise,
  ownKeys,
  parseJson,
  toJson,
} from "./host.ts";
import { crypto, performance, queueMicrotask } from "./platform.ts";
import { Request } from "./request.ts";
import { Response } from "./response.ts";
import { ReadableStream } from "./streams.ts";
import { atob, btoa, TextDecoder, TextEncoder } from "./text.ts";
import { clearInterval, clearTimeout, fire, setInterval, setTimeout } from "./timers.ts";
import { URL, URLSearchParams } from "./url.ts";

/** Where a run stands: what it asked for, without its code. */
export type RunFacts = Pick<QuickJsRequest, "parameters" | "tile"> & {
  name: string;
  file: string;
  plan: CallPlan;
  buffers: number;
};

export interface PreludeParts {
  /**
   * Converts parameters to what the UDF declares and puts them in order.
   * @throws an error with the field `parameter`: the name of the one that is unknown, missing or of the wrong type
   */
  coerce(plan: CallPlan, parameters: Record<string, unknown>, tile: RunFacts["tile"]): unknown[];
}

let facts: RunFacts;
let args: unknown[];

function take(count: number): Uint8Array[] {
  const buffers: Uint8Array[] = [];
  for (let i = 0; i < count; i++) buffers[i] = takeBuffer(i);
  return buffers;
}

function give({ buffers }: Encoded): void {
  for (let i = 0; i < buffers.length; i++) giveBuffer(buffers[i] as Uint8Array);
}

/** Calls a binding of the host. @throws an error with the class name and message that the host reports */
export function callHost(binding: string, method: string, argument: unknown): Promise<unknown> {
  const place = new IntrinsicError();
  return new IntrinsicPromise((resolve, reject) => {
    const encoded = encodeValue(argument, `${binding}.${method}: argument`);
    give(encoded);
    startCall(
      binding,
      method,
      encoded.text,
      (value, buffers) => resolve(decodeValue({ text: toJson(value), buffers: take(buffers) })),
      (failure) => reject(hostError(failure, place)),
    );
  });
}

function prepare(text: string, { coerce }: PreludeParts): void {
  facts = parseJson(text) as RunFacts;
  try {
    const parameters = decodeValue({ text: facts.parameters, buffers: take(facts.buffers) });
    args = coerce(facts.plan, parameters as Record<string, unknown>, facts.tile);
  } catch (error) {
    fail("input", error, facts.file, (error as { parameter?: string }).parameter ?? null);
  }
}

async function invoke(loaded: { default: unknown } | Promise<{ default: unknown }>): Promise<void> {
  let value: unknown;
  try {
    const module = loaded instanceof IntrinsicPromise ? await loaded : loaded;
    value = apply(module.default as (...args: unknown[]) => unknown, undefined, args);
    if (value !== null && typeof value === "object") value = await value;
  } catch (error) {
    return fail("udf", error, facts.file);
  }
  try {
    const encoded = encodeValue(value);
    give(encoded);
    host(OP.done, encoded.text);
  } catch (error) {
    if (error instanceof ResultError || isOutOfMemory(error)) {
      return fail("result", error, facts.file, (error as ResultError).path);
    }
    fail(
      "result",
      new ResultError("Cannot return result: reading it threw an error", { path: "result" }),
      facts.file,
      "result",
    );
  }
}

/** Takes away what the engine has beyond the list: `SharedArrayBuffer` (there is nobody to share with), and what a later one adds. */
function dropUnlisted(): void {
  for (const name of ownKeys(globalThis)) {
    if (typeof name !== "string" || GUEST_GLOBALS.includes(name)) continue;
    if (!deleteProperty(globalThis, name)) throw new TypeError(`the global ${name} cannot be taken away`);
  }
}

/** Adds the globals and tells the host how to call in. */
export function boot(parts: PreludeParts): void {
  const globals = {
    console,
    setTimeout,
    setInterval,
    clearTimeout,
    clearInterval,
    queueMicrotask,
    structuredClone,
    atob,
    btoa,
    crypto,
    performance,
    fetch,
  };
  const classes = {
    AbortController,
    AbortSignal,
    Blob,
    DOMException,
    Event,
    EventTarget,
    File,
    FormData,
    Headers,
    ReadableStream,
    Request,
    Response,
    TextDecoder,
    TextEncoder,
    URL,
    URLSearchParams,
  };
  for (const [name, value] of Object.entries({ ...globals, ...classes })) define(globalThis, name, value);
  for (const [name, { prototype }] of Object.entries(classes)) {
    defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
    // The bundler may have given it another.
    defineProperty(prototype.constructor, "name", { value: name, configurable: true });
  }
  dropUnlisted();
  host(OP.ready, (entry: number, a: never, b: never, c: never) => {
    switch (entry) {
      case ENTRY.prepare:
        return prepare(a, parts);
      case ENTRY.invoke:
        return void invoke(a);
      case ENTRY.loadFailed:
        return fail(isSyntaxFailure(a) || b ? "load" : "udf", a, facts.file);
      case ENTRY.uncaught:
        return fail("udf", a, facts.file);
      case ENTRY.fire:
        return fire(a);
      case ENTRY.answer:
        return answer(a, b, c);
    }
  });
}

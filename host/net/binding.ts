/** The binding `net`: what a guest calls to reach the network. */
import { UsageError } from "../../runtime/errors.ts";
import type { Binding, Call } from "../host.ts";
import type { Body } from "./body.ts";
import { NetError } from "./errors.ts";
import type { Guard } from "./guard.ts";
import { readRequest } from "./request.ts";

export type NetBinding = Readonly<Record<"fetch" | "read" | "close", Binding[string]>>;

/** An answer that is not longer comes whole, if it comes soon. */
const FIRST_BYTES = 256 * 1024;
/** How long the beginning of an answer is held back for the rest of a short one. */
const FIRST_MS = 100;
/** What one `read` gives at most. */
const MOST_READ_BYTES = 1024 * 1024;

/** The answers of one run that are still being read. */
class Handles {
  readonly #bodies = new Map<number, Body>();
  #last = 0;

  add(body: Body): number {
    this.#bodies.set(++this.#last, body);
    return this.#last;
  }

  /** @throws NetError of code "closed" */
  get(handle: unknown): Body {
    const body = this.#bodies.get(handle as number);
    if (body) return body;
    if (typeof handle !== "number")
      throw new UsageError("Cannot read an answer: its handle must be a number");
    throw new NetError("closed", `The answer with the handle ${handle} is closed, or never was`);
  }

  close(handle: unknown): void {
    this.#bodies.get(handle as number)?.close();
    this.#bodies.delete(handle as number);
  }
}

/**
 * Makes the binding.
 *
 *     fetch(request)   sends a request (request.ts), and gives the answer with what has come of its body
 *     read(handle)     gives the next bytes of a body, null at its end
 *     close(handle)    gives up the rest of a body
 *
 * Handles belong to one run. What is not read is closed when the run ends.
 */
export function netBinding(guard: Guard): NetBinding {
  const runs = new WeakMap<AbortSignal, Handles>();
  const handlesOf = ({ signal }: Call): Handles => {
    let handles = runs.get(signal);
    if (!handles) runs.set(signal, (handles = new Handles()));
    return handles;
  };
  return {
    async fetch([value], call) {
      const answer = await guard.fetch(readRequest(value, guard.limits.requestBytes), call);
      const { url, status, statusText, headers, redirected, body } = answer;
      if (!body.isEnded) await body.wait(FIRST_BYTES, FIRST_MS);
      const first = body.take(FIRST_BYTES);
      const handle = body.isDone ? null : handlesOf(call).add(body);
      return { url, status, statusText, headers, redirected, body: first, handle };
    },

    async read([handle], call) {
      const body = handlesOf(call).get(handle);
      const bytes = await body.next(MOST_READ_BYTES, body.idleMs);
      if (bytes !== null) return bytes;
      handlesOf(call).close(handle);
      return null;
    },

    close([handle], call) {
      handlesOf(call).close(handle);
      return null;
    },
  };
}

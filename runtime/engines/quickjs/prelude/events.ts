/** `Event` and `EventTarget`, for targets without parents. Source: the DOM standard. */
import { OP } from "../ops.ts";
import { DOMException } from "./dom-exception.ts";
import { apply, dictionary, host, IntrinsicPromise, type List, list, textOf, typeError } from "./host.ts";

interface Listener {
  type: string;
  callback: unknown;
  capture: boolean;
  once: boolean;
  removed: boolean;
}

let dispatch: (event: Event, target: EventTarget, listeners: List<Listener>) => boolean;
/** Makes an event that no script has made. */
export let trustedEvent: (type: string) => Event;

export class Event {
  readonly #type: string;
  readonly #bubbles: boolean;
  readonly #cancelable: boolean;
  readonly #composed: boolean;
  readonly #timeStamp = host(OP.now) as number;
  #trusted = false;
  #target: EventTarget | null = null;
  #current: EventTarget | null = null;
  #stopped = false;
  #prevented = false;

  static {
    trustedEvent = (type) => {
      const event = new Event(type);
      event.#trusted = true;
      return event;
    };
    dispatch = (event, target, listeners) => {
      if (event.#current) throw new DOMException("The event is being dispatched", "InvalidStateError");
      event.#target = event.#current = target;
      event.#stopped = false;
      // Those that are added meanwhile wait for the next event.
      const { length } = listeners;
      for (let i = 0; i < length && !event.#stopped; i++) {
        const listener = listeners[i] as Listener;
        if (listener.removed || listener.type !== event.#type) continue;
        listener.removed = listener.once;
        try {
          const { callback } = listener as { callback: { handleEvent: () => unknown } };
          if (typeof callback === "function") apply(callback, target, [event]);
          else apply(callback.handleEvent, callback, [event] as never);
        } catch (error) {
          // A rejection that nobody handles ends the run.
          new IntrinsicPromise((_, reject) => reject(error));
        }
      }
      event.#current = null;
      return !event.#prevented;
    };
  }

  constructor(type: unknown, init: unknown = {}) {
    if (type === undefined) throw typeError("Cannot make an Event: it needs a type");
    const { bubbles, cancelable, composed } = dictionary(init, "Cannot make an Event: its options");
    this.#type = textOf(type);
    this.#bubbles = !!bubbles;
    this.#cancelable = !!cancelable;
    this.#composed = !!composed;
  }
  get type(): string {
    return this.#type;
  }
  get bubbles(): boolean {
    return this.#bubbles;
  }
  get cancelable(): boolean {
    return this.#cancelable;
  }
  get composed(): boolean {
    return this.#composed;
  }
  get timeStamp(): number {
    return this.#timeStamp;
  }
  get isTrusted(): boolean {
    return this.#trusted;
  }
  get target(): EventTarget | null {
    return this.#target;
  }
  get currentTarget(): EventTarget | null {
    return this.#current;
  }
  get defaultPrevented(): boolean {
    return this.#prevented;
  }
  preventDefault(): void {
    this.#prevented = this.#cancelable;
  }
  /** There is nowhere to go on to: targets have no parents here. */
  stopPropagation(): void {}
  stopImmediatePropagation(): void {
    this.#stopped = true;
  }
}

export class EventTarget {
  #listeners = list<Listener>();

  addEventListener(type: unknown, callback: unknown, options: unknown = {}): void {
    if (callback === null || callback === undefined) return;
    if (typeof callback !== "function" && typeof callback !== "object")
      throw typeError(`Cannot add a listener: it must be a function: received ${typeof callback}`);
    const { capture, once, signal } =
      typeof options === "boolean"
        ? { capture: options, once: false, signal: undefined }
        : dictionary(options, "Cannot add a listener: its options");
    const listener = {
      type: textOf(type),
      callback,
      capture: !!capture,
      once: !!once,
      removed: (signal as AbortSignal | undefined)?.aborted === true,
    };
    if (listener.removed || this.#find(listener)) return;
    if (signal !== undefined)
      apply(addEventListener, signal, ["abort", () => this.#remove(listener), { once: true }]);
    this.#listeners[this.#listeners.length] = listener;
  }
  removeEventListener(type: unknown, callback: unknown, options: unknown = {}): void {
    const capture =
      typeof options === "boolean" ? options : !!dictionary(options, "The listener's options").capture;
    const listener = this.#find({ type: textOf(type), callback, capture });
    if (listener) this.#remove(listener);
  }
  /** False: a listener has called `preventDefault()`. */
  dispatchEvent(event: Event): boolean {
    const more = dispatch(event, this, this.#listeners);
    // Those that were called once.
    this.#remove(null);
    return more;
  }

  #find({ type, callback, capture }: Omit<Listener, "once" | "removed">): Listener | null {
    for (let i = 0; i < this.#listeners.length; i++) {
      const listener = this.#listeners[i] as Listener;
      if (
        listener.type === type &&
        listener.callback === callback &&
        listener.capture === capture &&
        !listener.removed
      )
        return listener;
    }
    return null;
  }
  /** The list is made anew: an event may be on its way along the old one. */
  #remove(gone: Listener | null): void {
    if (gone) gone.removed = true;
    const left = list<Listener>();
    for (let i = 0; i < this.#listeners.length; i++) {
      const listener = this.#listeners[i] as Listener;
      if (!listener.removed) left[left.length] = listener;
    }
    this.#listeners = left;
  }
}

const { addEventListener } = EventTarget.prototype;

/** One fetch of a run from its first request to the last byte of its answer: its clock, its places, and the way to end it. */
import type { FuseletError } from "../../runtime/errors.ts";
import type { BodyOwner } from "./body.ts";
import { NetError } from "./errors.ts";
import type { NetLimits } from "./limits.ts";
import type { NetRequest } from "./request.ts";
import { Slots } from "./slots.ts";
import type { Head, Sending } from "./transport.ts";

/** All fetches of one run, and the clock that they share: a timer for each of them would cost more than all else here. */
export class Run {
  readonly limits: NetLimits;
  readonly slots: Slots;
  readonly exchanges = new Set<Exchange>();
  requestBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakesAt = Infinity;

  constructor(limits: NetLimits, signal: AbortSignal) {
    this.limits = limits;
    this.slots = new Slots(limits.openPerRun, limits.waitingPerRun);
    const end = () => {
      clearTimeout(this.#timer);
      for (const exchange of [...this.exchanges])
        exchange.cancel(new NetError("closed", "The run has ended"));
    };
    signal.addEventListener("abort", end, { once: true });
  }

  /** Looks at all deadlines at this time (as of `performance.now`), or before. */
  wakeAt(time: number): void {
    if (time >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = time;
    this.#timer = setTimeout(() => this.#look(), Math.max(time - performance.now(), 0));
  }

  #look(): void {
    this.#wakesAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const exchange of [...this.exchanges]) {
      if (exchange.deadline > now) next = Math.min(next, exchange.deadline);
      else exchange.expire();
    }
    this.wakeAt(next);
  }
}

/** What an exchange needs to know of its request. */
type ExchangeOptions = Pick<NetRequest, "body" | "timeoutMs" | "timeoutFor">;

/** What an exchange waits for. */
type Step = "place" | "head" | "body" | "nothing";

export class Exchange implements BodyOwner {
  readonly #run: Run;
  readonly #requestBytes: number;
  readonly #wholeMs: number;
  readonly #headersMs: number;
  readonly #idleMs: number;
  readonly #taken: Slots[] = [];
  #started = performance.now();
  #host = "";
  #step: Step = "nothing";
  #error: FuseletError | undefined;
  #stopWaiting: ((error: FuseletError) => void) | undefined;
  #sending: Sending | undefined;
  #head: Head | undefined;
  /** When its step has to be over, as of `performance.now`. */
  deadline = Infinity;

  /**
   * @throws NetError of code "busy"
   */
  constructor(run: Run, { body, timeoutMs, timeoutFor }: ExchangeOptions) {
    const { wholeMs, headersMs, idleMs, openRequestBytes } = run.limits;
    const requestBytes = body?.length ?? 0;
    const answerMs = (timeoutFor === "answer" && timeoutMs) || Infinity;
    const stepMs = (timeoutFor === "step" && timeoutMs) || Infinity;
    if (run.requestBytes + requestBytes > openRequestBytes) {
      throw new NetError(
        "busy",
        `Cannot send more: the requests that this run has open may have ${openRequestBytes} bytes together`,
      );
    }
    this.#run = run;
    this.#wholeMs = Math.min(answerMs, wholeMs);
    this.#headersMs = Math.min(stepMs, headersMs);
    this.#idleMs = Math.min(stepMs, idleMs);
    this.#requestBytes = requestBytes;
    run.requestBytes += requestBytes;
    run.exchanges.add(this);
  }

  /**
   * Takes a place.
   * @returns undefined where one was free
   * @throws NetError of code "busy" where too many wait, or when its time is over
   */
  enter(slots: Slots): Promise<void> | undefined {
    if (!slots.take()) return this.#wait(slots);
    this.#taken.push(slots);
    return undefined;
  }

  async #wait(slots: Slots): Promise<void> {
    if (this.#error) throw this.#error;
    const waiting = slots.wait();
    if (!waiting) {
      throw new NetError(
        "busy",
        "Cannot request more: too many requests wait for answers that are open; read answers to their end, or close them",
      );
    }
    this.#begin("place", Infinity);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#stopWaiting = reject;
        waiting.ready.then(resolve);
      });
    } finally {
      if (!waiting.leave()) this.#taken.push(slots);
    }
  }

  /**
   * Sends a request and waits for the beginning of its answer.
   * @param host for messages
   * @param send gets the milliseconds that it has
   */
  async head(host: string, send: (leftMs: number) => Sending): Promise<Head> {
    if (this.#error) throw this.#error;
    this.#host = host;
    this.#head = undefined;
    this.#sending = send(this.#begin("head", this.#headersMs));
    return (this.#head = await this.#sending.head);
  }

  /** Waits for what is no server's fault: its clock stands still. */
  async pause<T>(work: Promise<T>): Promise<T> {
    this.deadline = Infinity;
    const paused = performance.now();
    try {
      return await work;
    } finally {
      this.#started += performance.now() - paused;
    }
  }

  /** From here on it lives as long as the body of its answer. */
  keep({ body }: Head): void {
    body.owner = this;
    body.idleMs = this.#idleMs;
    if (!body.isEnded) this.#begin("body", Infinity);
  }

  /** Ends it, whatever it waits for. */
  cancel(error: FuseletError): void {
    if (this.#error) return;
    this.#error = error;
    this.#stopWaiting?.(error);
    this.#sending?.cancel(error);
    this.#head?.body.close();
  }

  /** Its time is over. */
  expire(): void {
    this.deadline = Infinity;
    // All has come: whoever reads it may take the time they need.
    if (this.#head?.body.isEnded) return;
    const allowedMs = this.#step === "head" ? Math.min(this.#headersMs, this.#wholeMs) : this.#wholeMs;
    this.cancel(
      this.#step === "place"
        ? new NetError(
            "busy",
            `The request waited ${allowedMs} ms for answers that are open: read answers to their end, or close them`,
          )
        : new NetError(
            "timeout",
            `${this.#host} did not ${this.#step === "head" ? "begin to answer" : "answer to the end"} within ${allowedMs} ms`,
          ),
    );
  }

  /** It is over: gives all back. Twice is no error. */
  close(): void {
    if (!this.#run.exchanges.delete(this)) return;
    this.#run.requestBytes -= this.#requestBytes;
    for (const slots of this.#taken) slots.give();
  }

  /** @returns the milliseconds that the step has */
  #begin(step: Step, mostMs: number): number {
    this.#step = step;
    const now = performance.now();
    const leftMs = Math.max(Math.min(mostMs, this.#started + this.#wholeMs - now), 0);
    this.deadline = now + leftMs;
    this.#run.wakeAt(this.deadline);
    return leftMs;
  }
}

/** Timers. The clock and the queue are outside; here is only what to call. */
import { OP } from "../ops.ts";
import { apply, create, host } from "./host.ts";

interface Timer {
  callback: (...args: unknown[]) => unknown;
  args: unknown[];
  /** Milliseconds between calls, null for one call. */
  interval: number | null;
}

/** The longest delay of the platform's timers, as in the HTML standard; what is longer is taken as 1 ms there and here. */
const MAX_DELAY = 2 ** 31 - 1;

const timers = create(null) as Record<number, Timer>;
let last = 0;

function add(name: string, repeat: boolean, callback: unknown, delay: unknown, args: unknown[]): number {
  if (typeof callback !== "function")
    throw new TypeError(
      `Cannot call ${name}: its first argument must be a function: received ${typeof callback}`,
    );
  const wanted = Number(delay);
  const milliseconds = wanted >= 1 && wanted <= MAX_DELAY ? wanted : 1;
  last += 1;
  timers[last] = { callback: callback as Timer["callback"], args, interval: repeat ? milliseconds : null };
  host(OP.timer, last, milliseconds);
  return last;
}

export const setTimeout = (callback: unknown, delay?: unknown, ...args: unknown[]): number =>
  add("setTimeout", false, callback, delay, args);
export const setInterval = (callback: unknown, delay?: unknown, ...args: unknown[]): number =>
  add("setInterval", true, callback, delay, args);

export function clearTimeout(id?: unknown): void {
  const number = Number(id);
  if (!timers[number]) return;
  delete timers[number];
  host(OP.clear, number);
}
export const clearInterval = (id?: unknown): void => clearTimeout(id);

/** Calls what a due timer holds. What it throws is the caller's to report. */
export function fire(id: number): void {
  const timer = timers[id];
  if (!timer) return;
  if (timer.interval === null) delete timers[id];
  else host(OP.timer, id, timer.interval);
  apply(timer.callback, undefined, timer.args);
}

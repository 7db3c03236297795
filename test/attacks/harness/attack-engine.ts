/** An engine that runs an attack in the realm: as if the engine that belongs there had been taken over. */
import attack from "attack";
import type { GuestHost } from "../../../runtime/engines/guest.ts";
import type { OpenEngine, SessionPlatform } from "../../../runtime/isolate/session.ts";

/** All that code in the realm can lay hands on. */
export interface Here {
  platform: SessionPlatform;
  host: GuestHost;
  /** The globals of the main realm, where the attack is to start from there. */
  main: unknown;
  target: { canary: string; folder: string; port: number; pid: number };
  /** Whether a value belongs to another realm than this one. */
  foreign(value: unknown): boolean;
}

function foreign(value: unknown): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  let top: object = value;
  for (let next = Reflect.getPrototypeOf(top); next !== null; next = Reflect.getPrototypeOf(next)) top = next;
  return top !== Object.prototype && (typeof value === "function" || top !== value);
}

export const attackEngine =
  (main?: unknown): OpenEngine =>
  async (_options, platform, host) => ({
    engine: {
      async run(request) {
        const { parameters } = JSON.parse(request.text);
        const here: Here = { platform, host, main, target: JSON.parse(parameters), foreign };
        const value = await (attack as (here: Here) => unknown)(here);
        return { text: JSON.stringify({ ok: true, value }), buffers: [] };
      },
      inspect: () => ({ text: "", buffers: [] }),
      putBack: () => ({ reusable: true, reason: null, heapBytes: 0 }),
    },
    report: {},
    buffers: [],
  });

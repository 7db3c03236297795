/** The bare realm of the child process: furnished, frozen, and handed to a session that reads frames from here on. */
import { encodeFrameHead, type Frame, readFrame } from "../channel.ts";
import { furnish, genuine, guarded } from "./bare-realm.ts";
import { boundMemory } from "./bound-memory.ts";
import { freezeIntrinsics } from "./freeze.ts";
import type { Outer } from "./outer.ts";
import { type OpenEngine, openSession } from "./session.ts";

/** Gives an object of the main realm this realm's prototype: the way back to its own realm is cut. */
function adopt<T extends object>(value: T | undefined, prototype: object): T | undefined {
  if (value !== undefined) Object.setPrototypeOf(value, prototype);
  return value;
}

/** Makes the function that the main realm calls with its loans. @returns there: the function to call when a frame is there. */
export function realmStart(openEngine: OpenEngine): (outer: Outer, id: number, text: string) => () => void {
  return (outer, id, text) => {
    const dropTimers = furnish(outer);
    const limitMemory = boundMemory();
    freezeIntrinsics();
    const beginFrame = guarded(outer.beginFrame);
    const read = guarded(outer.read);
    const write = guarded(outer.write);
    const random = guarded(outer.random);
    const renew = guarded(outer.renew);
    const asset = guarded(outer.asset);
    const library = guarded(outer.library);
    const codeCache = guarded(outer.codeCache);
    const receive = (): Frame => readFrame(beginFrame(), read);
    const deliver = openSession(
      {
        port: {
          post(frame) {
            write(encodeFrameHead(frame));
            for (const buffer of frame.buffers) write(genuine(buffer));
          },
          receive,
        },
        now: guarded(outer.now),
        random: (into) => random(genuine(into)),
        bytes: (name) => adopt(asset(String(name)) as ArrayBuffer | undefined, ArrayBuffer.prototype),
        module: (name) =>
          adopt(asset(String(name)) as WebAssembly.Module | undefined, WebAssembly.Module.prototype),
        library: (path) => adopt(library(String(path)), WebAssembly.Module.prototype),
        codeCache: () => adopt(codeCache(), ArrayBuffer.prototype),
        limitMemory,
        dropTimers,
        rest: guarded(outer.rest),
        renew: (request, options) => renew(Number(request), String(options)),
        exit: guarded(outer.exit),
      },
      openEngine,
      id,
      text,
    );
    return () => deliver(receive());
  };
}

/** A realm without the wall, for controls: the main realm's loans are handed over as they are, and nothing is frozen. */
import { encodeFrameHead, readFrame } from "../../../runtime/channel.ts";
import type { Outer } from "../../../runtime/isolate/outer.ts";
import { openSession, type SessionPlatform } from "../../../runtime/isolate/session.ts";
import { attackEngine } from "./attack-engine.ts";

export const start = (outer: Outer, id: number, text: string) => {
  const receive = () => readFrame(outer.beginFrame(), outer.read);
  Object.assign(globalThis, {
    performance: { now: outer.now },
    // An immediate's callback is called as its method.
    setTimeout: (callback: () => void) => outer.setImmediate(callback),
    clearTimeout: outer.clearTimeout,
    crypto: {
      getRandomValues: (view: Uint8Array) => outer.random(view),
    },
    TextDecoder: class {
      encoding: string;
      constructor(encoding = "utf-8") {
        this.encoding = encoding;
      }
      decode = (bytes: Uint8Array) => outer.decode(bytes, this.encoding, false);
    },
    TextEncoder: class {
      encode(from: string) {
        const bytes = new Uint8Array(from.length * 3);
        return bytes.slice(0, outer.encode(from, bytes));
      }
    },
  });
  const platform: SessionPlatform = {
    port: {
      post(frame) {
        outer.write(encodeFrameHead(frame));
        for (const buffer of frame.buffers) outer.write(buffer);
      },
      receive,
    },
    now: outer.now,
    random: outer.random,
    bytes: (name) => outer.asset(name) as ArrayBuffer,
    module: (name) => outer.asset(name) as WebAssembly.Module,
    library: outer.library,
    codeCache: outer.codeCache,
    limitMemory() {},
    dropTimers() {},
    rest: outer.rest,
    renew: outer.renew,
    exit: outer.exit,
  };
  const deliver = openSession(platform, attackEngine(), id, text);
  return () => deliver(receive());
};

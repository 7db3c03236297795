/** The TypeScript engine as a session opens it; the platforms' realms are made of it. */
import type { OpenEngine } from "../../isolate/session.ts";
import { openQuickJs } from "./guest.ts";

export const quickjsRealm: OpenEngine = async (options, platform, host) => {
  const started = host.now();
  const engine = await openQuickJs(
    {
      wasm: platform.module("core") as WebAssembly.Module,
      prelude: "",
      image: new Uint8Array(platform.bytes("image") as ArrayBuffer),
      memoryBytes: options.memoryBytes,
    },
    host,
  );
  return { engine, report: { bootMs: host.now() - started }, buffers: [] };
};

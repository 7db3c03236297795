/** What the harness takes of the host's side. */
export { Isolate } from "../../../runtime/isolate/isolate.ts";
export { nodePlatform } from "../../../runtime/isolate/platform.node.ts";
export { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
export { Runtime } from "../../../runtime/runtime.ts";

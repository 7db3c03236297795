/**
 * What the child's main realm gives up before untrusted code runs, so that a realm escape finds nothing: the permission
 * model leaves signals, module loading and (before Node 26) the network open. Node's internals keep their own references.
 */

/** Globals that reach the network, other threads, storage or code loading. */
const GLOBALS = [
  "fetch",
  "WebSocket",
  "EventSource",
  "Request",
  "Response",
  "Headers",
  "FormData",
  "MessageEvent",
  "CloseEvent",
  "BroadcastChannel",
  "MessageChannel",
  "MessagePort",
  "Worker",
  "navigator",
  "Navigator",
  "localStorage",
  "sessionStorage",
  "Storage",
  "require",
  "module",
  "exports",
  "__filename",
  "__dirname",
  "global",
];

/** Members of `process` that signal, load, inspect or change the process. */
const PROCESS = [
  "kill",
  "_kill",
  "binding",
  "_linkedBinding",
  "dlopen",
  "getBuiltinModule",
  "mainModule",
  "chdir",
  "report",
  "abort",
  "umask",
  "setuid",
  "setgid",
  "seteuid",
  "setegid",
  "setgroups",
  "initgroups",
  "_debugProcess",
  "_debugEnd",
  "_startProfilerIdleNotifier",
  "_stopProfilerIdleNotifier",
  "execve",
  "loadEnvFile",
  "openStdin",
  "stdin",
  "stdout",
  "stderr",
  "channel",
  "send",
  "disconnect",
  "getActiveResourcesInfo",
  "_getActiveHandles",
  "_getActiveRequests",
  "moduleLoadList",
  "config",
  "argv",
  "execArgv",
  "execPath",
  "title",
  "env",
  "setUncaughtExceptionCaptureCallback",
  "setSourceMapsEnabled",
  "allowedNodeEnvironmentFlags",
  "finalization",
  "ref",
  "unref",
];

/** Removes them; what cannot be removed is set to undefined. @throws Error when something stays: then nothing may run here. */
export function scrub(): void {
  const global = globalThis as unknown as Record<string, unknown>;
  const take = (owner: Record<string, unknown>, key: string) => {
    for (let o: Record<string, unknown> | null = owner; o; o = Object.getPrototypeOf(o)) {
      if (!Object.hasOwn(o, key)) continue;
      if (!Reflect.deleteProperty(o, key)) Reflect.defineProperty(o, key, { value: undefined });
      if (Object.hasOwn(o, key) && Reflect.getOwnPropertyDescriptor(o, key)?.value !== undefined) {
        throw new Error(`Cannot scrub ${key}`);
      }
    }
  };
  for (const key of PROCESS) take(process as unknown as Record<string, unknown>, key);
  for (const key of GLOBALS) take(global, key);
}

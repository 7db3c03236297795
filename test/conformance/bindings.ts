/** What the host of the conformance suite offers to UDFs, as the binding `test`. */

import type { HostBindings } from "../../sdk/typescript/compose.ts";
import type { FuseletModule } from "./case.ts";

/** Bindings with a state of their own; each runtime gets one set. Their errors are the build's own: only those are told to a UDF. */
export function testBindings({ UsageError, PermissionDeniedError }: FuseletModule): HostBindings {
  const denied = () =>
    new PermissionDeniedError("Access to example.com is not granted", {
      permission: "net",
      value: "example.com",
      grant: "--allow-net=example.com",
    });
  const waiting = new Map<string, (() => void)[]>();
  return {
    // A file that is made as it is read: byte n is n modulo 251. For the guest's side alone.
    download: {
      get: ([request]) => {
        const { path } = request as { path: string };
        if (path === "denied") throw denied();
        return { file: 0, size: path === "large" ? 5 * 1024 ** 3 : 3_000_000 };
      },
    },
    files: {
      read: ([, position, length]) =>
        Uint8Array.from({ length: length as number }, (_, i) => ((position as number) + i) % 251),
      close: () => null,
    },
    test: {
      echo: ([value]) => value,
      count: (args) => args.length,
      who: (_, { principal, udf }) => ({ principal, udf: udf.name }),
      nothing: () => undefined,
      /** Answers when as many calls of the same name are waiting: only calls that are under way together ever return. */
      meet: ([name, count, answer]) =>
        new Promise((resolve) => {
          const room = waiting.get(String(name)) ?? [];
          waiting.set(String(name), room);
          room.push(() => resolve(answer));
          if (room.length === count) for (const leave of room.splice(0)) leave();
        }),
      /** Never answers. */
      never: () => new Promise(() => {}),
      refuse: ([message]) => {
        throw new UsageError(String(message));
      },
      deny: () => {
        throw denied();
      },
      /** An error that is none of ours: its text may hold what a UDF must not see. */
      leak: () => {
        throw new TypeError("the password is hunter2");
      },
      unwritable: () => () => 1,
    },
  };
}

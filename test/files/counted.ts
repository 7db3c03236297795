/** Counts the bytes that cross between runs and their host. */
import type { Binding } from "../../host/host.ts";
import type { FuseletRuntime } from "../../sdk/typescript/compose.ts";

type Bindings = Readonly<Record<string, Binding>>;

export interface Counted {
  /** The same, counting. */
  bindings: Bindings;
  /** What crossed so far, both ways: contents, not the names and numbers around them. */
  bytes(): number;
}

export function counted(bindings: Bindings): Counted {
  let bytes = 0;
  const wrap = (methods: Binding): Binding =>
    Object.fromEntries(
      Object.entries(methods).map(([method, act]) => [
        method,
        async (args, call) => {
          bytes += lengthOf(args);
          const answer = await act(args, call);
          bytes += lengthOf(answer);
          return answer;
        },
      ]),
    );
  return {
    bindings: Object.fromEntries(Object.entries(bindings).map(([name, each]) => [name, wrap(each)])),
    bytes: () => bytes,
  };
}

export interface Asked {
  code: string;
  parameters: Record<string, unknown>;
  permissions: object;
}

/** Runs a UDF. @returns its value, or its error's text, and what crossed between it and its host, in bytes */
export async function runCounted(runtime: FuseletRuntime, count: Counted, { code, ...options }: Asked) {
  const before = count.bytes();
  try {
    const { value } = await runtime.run(code, { ...options, principal: "me" });
    return { value, bytes: count.bytes() - before };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: `${name}: ${message}`, bytes: count.bytes() - before };
  }
}

/** Bytes anywhere in a value. */
function lengthOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, each) => sum + lengthOf(each), 0);
}

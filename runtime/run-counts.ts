/** Limits of one run that are counts: of host calls, and of runs of other UDFs. Over one, its isolate is ended. */
import { LimitExceededError } from "./errors.ts";
import type { Lease, Place } from "./lease.ts";
import type { Limits } from "./limits.ts";
import type { Encoded } from "./value.ts";

/** Gives runs of other UDFs room while this one waits for them, and ends it when they are too many. */
export function countRuns(limits: Limits, tree: { runs: number }, lease: () => Lease) {
  return async <T>(run: (place: Place) => Promise<T>): Promise<T> => {
    if (++tree.runs > limits.nestedRuns) {
      const { nestedRuns: allowed } = limits;
      const error = new LimitExceededError(
        `The run started more than ${allowed} runs of other UDFs. Raise it with limits.nestedRuns`,
        { limit: "nestedRuns", allowed },
      );
      void lease().isolate.close(error);
      throw error;
    }
    const place = lease().wait();
    try {
      return await run(place);
    } finally {
      place.end();
    }
  };
}

/** Lets host calls through up to their number. */
export function countCalls(
  limits: Limits,
  isolate: () => { close(reason: Error): Promise<void> },
  call: (name: string, argument: Encoded) => Promise<Encoded>,
): (name: string, argument: Encoded) => Promise<Encoded> {
  let count = 0;
  return (name, argument) => {
    if (++count <= limits.hostCalls) return call(name, argument);
    const error = new LimitExceededError(
      `The run made more than ${limits.hostCalls} host calls. Raise it with limits.hostCalls`,
      {
        limit: "hostCalls",
        allowed: limits.hostCalls,
      },
    );
    void isolate().close(error);
    throw error;
  };
}

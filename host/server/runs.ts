/** Runs UDFs for users: what they may do, how many at once, and whether an earlier result will do. */
import { FuseletError, PermissionDeniedError } from "../../runtime/errors.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import { checkPermissions, type Permissions } from "../permissions/descriptor.ts";
import { narrow } from "../permissions/narrow.ts";
import { servedDenial } from "../permissions/served.ts";
import { cacheAges } from "./cache-ages.ts";
import { HttpError } from "./errors.ts";
import type { RunAs, Runs, ServerParts, ServerRun } from "./parts.ts";
import { RunQueue } from "./run-queue.ts";

/** Runs of all users that wait. */
const MOST_WAITING = 10_000;
/** Of their parameters, of one line and of all. In memory they are larger. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_BYTES_IN_ALL = 512 * 1024 * 1024;
const OVER = "The run was cancelled: nothing may run in the name of its user any more";
/** In the metadata of a UDF: a descriptor of the most that its runs may get. */
const PERMISSIONS = "fuselet:permissions";

export function openRuns({
  settings,
  runner,
  metrics,
  epochs,
  users,
  standing,
}: Pick<ServerParts, "settings" | "runner" | "metrics" | "epochs" | "users" | "standing">): Runs {
  const queue = new RunQueue({
    atOnce: settings.runsPerUser,
    waiting: settings.waitingPerUser,
    waitingInAll: MOST_WAITING,
    bytes: MOST_BYTES,
    bytesInAll: MOST_BYTES_IN_ALL,
  });
  const underWay = new Map<Promise<unknown>, AbortController>();
  metrics.gauge("fuselet_runs", "Runs under way, those that wait included.", () => underWay.size);
  metrics.gauge("fuselet_runs_waiting", "Runs that wait for their turn.", () => queue.waiting);
  const count = metrics.counter("fuselet_runs_total", "Runs that have ended, by how they ended.");
  const ageOf = cacheAges(runner);

  const run = async (asked: ServerRun, signal: AbortSignal) => {
    const leave = await queue.enter(lineOf(asked.as), signal, asked.bytes);
    try {
      const { as, source, parameters, tile, context, onOutput, limits, savedId } = asked;
      const permissions = narrowed(settings.permissions, as, source);
      const ageMs = (await ageOf(asked)) ?? 0;
      const keeping =
        ageMs > 0
          ? {
              cacheMaxAge: Math.ceil(ageMs / 1000),
              // Who goes to another team takes no results along: a run reads the team's files.
              cacheEpoch: `${as.owner.team}/${savedId ? await epochs.of(savedId, tile) : ""}`,
            }
          : {};
      const result = await runner.run(source, {
        parameters,
        principal: principalOf(as),
        owner: as.owner.id,
        context,
        signal,
        ...keeping,
        ...(permissions ? { permissions } : {}),
        ...(tile ? { tile } : {}),
        limits: { timeMs: settings.runMs, ...limits },
        ...(onOutput ? { onOutput } : {}),
      });
      await asked.finish?.(result);
      return result;
    } finally {
      leave();
    }
  };

  return {
    async run(asked) {
      const controller = new AbortController();
      const abort = () => controller.abort();
      if (asked.signal.aborted) abort();
      asked.signal.addEventListener("abort", abort, { once: true });
      const { id } = asked.as.owner;
      let isOver = false;
      const unwatch = standing.watch(
        `user/${id}`,
        async () => (await users.active(id)) !== null,
        () => {
          isOver = true;
          abort();
        },
      );
      const running = run(asked, controller.signal);
      underWay.set(running, controller);
      try {
        const result = await running;
        count({ outcome: result.cached ? "cached" : "ok" });
        return result;
      } catch (cause) {
        const error = isOver
          ? new HttpError(403, OVER, { cause })
          : cause instanceof PermissionDeniedError
            ? servedDenial(cause)
            : cause;
        count({ outcome: error instanceof FuseletError ? error.name : "failure" });
        throw error;
      } finally {
        unwatch();
        underWay.delete(running);
        asked.signal.removeEventListener("abort", abort);
      }
    },

    async drain(timeoutMs) {
      queue.close();
      const ended = async () => {
        while (underWay.size > 0) await Promise.allSettled(underWay.keys());
      };
      let timer: ReturnType<typeof setTimeout> | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([ended(), timeout]);
      clearTimeout(timer);
      for (const controller of underWay.values()) controller.abort();
      await ended();
    },
  };
}

/**
 * The principal of a run: caches and isolates are kept apart by it. It is written into indexes and logs, so of a token it has the label
 * only.
 */
function principalOf({ owner, shareToken }: RunAs): string {
  if (shareToken === undefined) return owner.id;
  return `${owner.id}/share/${shareToken}`;
}

/** Visitors of somebody's links wait for one another, and never hold up the owner. */
const lineOf = ({ owner, shareToken }: RunAs) => (shareToken === undefined ? owner.id : `${owner.id}/share`);

/** What a run may do; undefined: what the server may give at all. @throws UsageError for metadata that is no descriptor */
function narrowed(most: Permissions, { owner }: RunAs, { metadata }: UdfSource): Permissions | undefined {
  const wanted = [
    owner.permissions,
    metadata[PERMISSIONS] === undefined
      ? undefined
      : checkPermissions(metadata[PERMISSIONS], `the UDF's metadata ${PERMISSIONS}`),
  ];
  return wanted.reduce<Permissions | undefined>(
    (left, right) => (right ? narrow(left ?? most, right) : left),
    undefined,
  );
}

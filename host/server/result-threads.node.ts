/**
 * Writes large results in threads of their own: some take seconds, in which the server would answer nobody. A result that fills a thread's
 * memory, or takes too long, ends its thread and nothing else.
 */
import { Worker } from "node:worker_threads";
import { CancelledError, LimitExceededError, ResultError, UsageError } from "../../runtime/errors.ts";
import type { RunResult } from "../../runtime/result.ts";
import { NdArray } from "../../runtime/value.ts";
import { isAsItIs, type Wish, writeResult } from "../formats/negotiate.ts";
import type { ResultWriter } from "./parts.ts";
import type { ThreadAnswer, ThreadTask } from "./result-thread.node.ts";
import { Room } from "./room.ts";
import { RunQueue } from "./run-queue.ts";

/**
 * What takes some milliseconds at most is written without a thread: plain values of so many bytes, as JSON and as anything else (a list of
 * records may have a column for each), tables and arrays of so many cells. A table of no bytes may have millions of rows.
 */
const SMALL = { json: 256 * 1024, others: 16 * 1024, cells: 64 * 1024 };
/** How long one may take, and how long a thread waits for the next one. */
const MOST_MS = 60_000;
const IDLE_MS = 10_000;
const MOST_HEAP_MB = 4096;

/** Beside this file, in the sources and in dist/. */
const SCRIPT = new URL(
  `./result-thread.node.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`,
  import.meta.url,
);

export interface ResultThreads {
  write: ResultWriter;
  /** Ends the threads, whatever they do, and begins no more. */
  close(): Promise<void>;
}

/** @param most threads at once */
export function openResultThreads(most: number, { mostMs = MOST_MS } = {}): ResultThreads {
  const room = new Room(most);
  // Nobody has all of them. So many wait as there are runs, which wait in a queue themselves.
  const lines = new RunQueue({ atOnce: Math.max(1, most - 1), waiting: Infinity, waitingInAll: Infinity });
  const threads = new Set<Worker>();
  /** With what ends them. */
  const idle = new Map<Worker, ReturnType<typeof setTimeout>>();
  const begin = (): Worker => {
    const thread = new Worker(SCRIPT, { resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MB } });
    threads.add(thread);
    thread.once("exit", () => {
      threads.delete(thread);
      clearTimeout(idle.get(thread));
      idle.delete(thread);
    });
    // Of one that nobody waits for.
    thread.on("error", () => {});
    return thread;
  };
  const take = (): Worker => {
    const [[thread, timer] = []] = idle;
    if (!thread) return begin();
    clearTimeout(timer);
    idle.delete(thread);
    return thread;
  };
  const giveBack = (thread: Worker) => {
    const timer = setTimeout(() => {
      idle.delete(thread);
      void thread.terminate();
    }, IDLE_MS);
    idle.set(thread, timer);
  };
  const ask = async (thread: Worker, task: ThreadTask): Promise<ThreadAnswer> => {
    const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer>();
    const tooLong = () =>
      reject(
        new LimitExceededError(
          `The result takes longer than ${mostMs / 1000} s to be written: return less, or ask for parquet`,
          { limit: "timeMs", allowed: mostMs },
        ),
      );
    const timer = setTimeout(tooLong, mostMs);
    const onExit = () => reject(new CancelledError("The server ends"));
    const onError = (error: Error & { code?: string }) =>
      reject(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? tooLarge() : error);
    thread.once("message", resolve).once("error", onError).once("exit", onExit);
    try {
      thread.postMessage(task);
      const answered = await promise;
      giveBack(thread);
      return answered;
    } catch (error) {
      await thread.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      thread.off("message", resolve).off("error", onError).off("exit", onExit);
    }
  };
  return {
    async write(result, wish, { owner, signal }) {
      const { raw, encoded } = result;
      if (!encoded || isAsItIs(raw, wish) || isSmall(result, wish)) return writeResult(raw, wish, encoded);
      const leave = await lines.enter(owner.id, signal);
      try {
        using _place = await room.enter(owner.id, signal);
        const answered = await ask(take(), { encoded, wish });
        if ("written" in answered) return answered.written;
        const { failure, message, stack } = answered;
        if (failure === "UsageError") throw new UsageError(message);
        if (failure !== null) throw new ResultError(message, { path: "result" });
        throw Object.assign(new Error(message), { stack });
      } finally {
        leave();
      }
    },
    async close() {
      lines.close();
      for (const timer of idle.values()) clearTimeout(timer);
      idle.clear();
      await Promise.all([...threads].map((thread) => thread.terminate()));
    },
  };
}

const tooLarge = () =>
  new ResultError("Cannot write the result: there is not enough memory; return less, or ask for parquet", {
    path: "result",
  });

function isSmall(
  { raw, encoded, bytes, table }: Pick<RunResult, "raw" | "encoded" | "bytes" | "table">,
  { formats }: Wish,
): boolean {
  if (bytes > SMALL.json) return false;
  if (table) return table.numRows * Math.max(1, table.numCols) <= SMALL.cells;
  if (raw instanceof NdArray)
    return raw.shape.reduce((cells, length) => cells * Math.max(1, length), 1) <= SMALL.cells;
  // What has others in it.
  if (encoded?.buffers.length) return false;
  return bytes <= SMALL.others || (formats[0] ?? "json") === "json";
}

/**
 * Jobs as the store has them:
 *
 *     server.jobs             ID                   the job
 *     server.job-configs      ID                   what it runs: the text of a JobConfig, as bytes
 *     server.job-order        OWNER/AGE-ID         a user's jobs, the newest first
 *     server.job-queue        OWNER/TIME-ID        those that have not ended, and who works on them until when
 *     server.job-tasks        ID/INDEX             how each task ended
 *     server.job-logs         ID/TIME-WRITER       (job-log.ts)
 */
import type { Change, RecordName } from "../store/store.ts";

export type JobStatus = "pending" | "running" | "succeeded" | "failed" | "cancelled";

export interface Job {
  readonly id: string;
  readonly ownerId: string;
  readonly team: string;
  readonly name: string;
  /** As it was asked for; all of them are this machine. */
  readonly instanceType: string | null;
  readonly status: JobStatus;
  /** ISO 8601, as all of its times. */
  readonly created: string;
  /** When it got its status. */
  readonly changed: string;
  readonly started: string | null;
  readonly ended: string | null;
  readonly totalTasks: number;
  /** Tasks that have ended, however. */
  readonly finishedTasks: number;
  readonly failedTasks: number;
  /** How often it was begun. */
  readonly tries: number;
  readonly mostTries: number;
  /** How old kept results of its runs may be, in seconds. */
  readonly cacheMaxAge: number;
  readonly recursion: number;
  /** Why it failed. */
  readonly error: string | null;
  /** The record of its run, where a schedule began it (schedule-records.ts). */
  readonly historyKey: string | null;
  /** What its log begins with. A job that was kept by an older version has none. */
  readonly notes?: readonly string[];
}

/** How a task ended. Its files are named after `index`. */
export interface JobTask {
  readonly index: number;
  readonly isFailure: boolean;
  /** The name of its result's file; that of what is said about it ends with `.metadata`. */
  readonly file: string;
  readonly bytes: number;
}

export interface NewJob {
  readonly ownerId: string;
  readonly team: string;
  readonly name: string;
  readonly instanceType: string | null;
  readonly totalTasks: number;
  readonly mostTries: number;
  readonly cacheMaxAge: number;
  readonly recursion: number;
  readonly historyKey: string | null;
  readonly notes: readonly string[];
  /** The text of a JobConfig. */
  readonly config: Uint8Array;
}

/** A new job, to be written with others in one transaction. */
export interface JobWrite {
  readonly job: Job;
  readonly names: readonly RecordName[];
  readonly changes: readonly Change[];
}

/** Who works on a job. */
export interface Lease {
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** What the queue has of a job. */
export interface Queued {
  readonly id: string;
  readonly lease: Lease | null;
  /** Not to be begun before: milliseconds since 1970. */
  readonly notBefore: number;
}

export const JOBS = "server.jobs";
export const CONFIGS = "server.job-configs";
export const ORDER = "server.job-order";
export const QUEUE = "server.job-queue";
export const TASKS = "server.job-tasks";
export const JOB_LOGS = "server.job-logs";
export const SCHEDULE_HISTORY = "server.schedule-history";
/** More than any time in milliseconds that has 15 digits. */
export const FAR = 10 ** 15;

/** A time as a part of keys, which are then in its order. */
export const timeKey = (ms: number): string => String(ms).padStart(15, "0");
export const isEnded = (status: JobStatus): boolean => status !== "pending" && status !== "running";

export const queueName = ({ id, ownerId, created }: Job): RecordName => ({
  collection: QUEUE,
  key: `${ownerId}/${timeKey(Date.parse(created))}-${id}`,
});

export const taskName = (id: string, index: number): RecordName => ({
  collection: TASKS,
  key: `${id}/${String(index).padStart(6, "0")}`,
});

export const historyName = ({ historyKey }: Job): RecordName[] =>
  historyKey === null ? [] : [{ collection: SCHEDULE_HISTORY, key: historyKey }];

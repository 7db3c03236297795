/**
 * Schedules and what came of them, as the store has them:
 *
 *     server.schedules             ID             the schedule
 *     server.schedule-history      ID/AGE-ID      its last runs and those that were left out, the newest first
 */
import type { Json, RecordName, Store, StoreRecord } from "../store/store.ts";
import { FAR, SCHEDULE_HISTORY, timeKey } from "./job.ts";
import { deleteAll, readAs, scan } from "./records.ts";
import type { Times } from "./schedule-times.ts";

export interface Schedule extends Times {
  readonly id: string;
  readonly ownerId: string;
  readonly team: string;
  readonly name: string;
  readonly description: string | null;
  readonly enabled: boolean;
  readonly udfId: string;
  readonly udfArgs: Readonly<Record<string, Json>> | null;
  /** ISO 8601. */
  readonly created: string;
  readonly updated: string;
  readonly lastRun: string | null;
  /** Milliseconds since 1970; null where it is off, or will never come. */
  readonly nextRun: number | null;
  readonly lastJobId: string | null;
  /** When `nextRun` was found: milliseconds since 1970. */
  readonly planned: number;
  /** Why the server has turned it off; null where its owner has, or it is on. */
  readonly disabledReason: string | null;
}

/** One run, or why there was none. */
export interface HistoryEntry {
  /** When it was due, or asked for: ISO 8601. */
  readonly due: string;
  readonly cause: "schedule" | "user";
  /** Of its job; `skipped` where the one before still ran; `missed` where no server was there. */
  readonly status: "pending" | "running" | "succeeded" | "failed" | "cancelled" | "skipped" | "missed";
  readonly jobId: string | null;
  readonly started: string | null;
  readonly ended: string | null;
  readonly error: string | null;
  readonly note: string | null;
}

export const SCHEDULES = "server.schedules";
const PAGE = 1000;
/** Of one schedule. */
const MOST_HISTORY = 100;

export const readSchedule = (record: StoreRecord) => readAs<Schedule>(record);

/** All of them. */
export async function allSchedules(store: Store): Promise<StoreRecord[]> {
  const records: StoreRecord[] = [];
  for await (const record of scan(store, SCHEDULES, "")) records.push(record);
  return records;
}

/** A new name in the history of a schedule. */
export function newHistoryName(id: string, nowMs: number): RecordName {
  return { collection: SCHEDULE_HISTORY, key: `${id}/${timeKey(FAR - nowMs)}-${crypto.randomUUID()}` };
}

export async function readHistory(store: Store, id: string): Promise<HistoryEntry[]> {
  const page = await store.list(SCHEDULE_HISTORY, { prefix: `${id}/`, limit: MOST_HISTORY });
  return page.map((record) => readAs<HistoryEntry>(record));
}

/** Removes the oldest entries, as far as there are too many. @param keep 0 removes all */
export async function trimHistory(store: Store, id: string, keep = MOST_HISTORY): Promise<void> {
  const page = await store.list(SCHEDULE_HISTORY, { prefix: `${id}/`, limit: PAGE });
  const names = page.slice(keep).map(({ key }) => ({ collection: SCHEDULE_HISTORY, key }));
  await deleteAll(store, names);
}

/** Batch jobs on a server. */
import { JobPoolTailTimeoutError, UdfTimeoutError, UsageError } from "../../../runtime/errors.ts";
import { isRecord } from "../../../runtime/record.ts";
import { fromWire, inPath, listFromWire } from "./answers.ts";
import { type Connection, wait } from "./connection.ts";
import type { DecodeMore } from "./decode.ts";
import { outcomeOfFile, type RunOutcome } from "./outcome.ts";
import { ServerError } from "./server-error.ts";

/** A job as a server has it. Times are ISO texts. */
export interface JobStatus {
  jobId: string;
  jobName: string;
  instanceId: string | null;
  instanceType: string | null;
  /** `pending` or `running` while it lives. */
  status: string;
  /** Whether its instance has ended. */
  terminalStatus: boolean;
  lastHeartbeat: string | null;
  /** `Done` where it ended well. */
  jobStatus: string | null;
  jobStatusDate: string | null;
  /** Whether the job itself has ended; null where the server does not say. */
  finishedJobStatus: boolean | null;
  totalTasks: number;
  finishedTasks: number;
  /** Why it failed, where a server says so. */
  error?: string | null;
}

/** A job of the history. */
export interface JobEntry {
  id: string;
  userId: string;
  creationDate: string;
  jobStatus: string | null;
  jobStatusDate: string | null;
  instanceId: string | null;
  instanceType: string | null;
  executionEnvironmentId: string;
  name?: string;
}

/** A line of a job's log. */
export interface JobLogEntry {
  message: string;
  /** Milliseconds since 1970. */
  timestamp: number;
}

/** A job: its id, or what was given when it was started or listed. */
export type JobOrId = string | { readonly jobId: string } | { readonly id: string };

/** How long to wait for a job. */
export interface JobWait {
  /** Between two looks. Default: 5 */
  pollIntervalSeconds?: number;
  /** After which to give up. Default: never */
  timeoutSeconds?: number;
  signal?: AbortSignal;
}

/** What a job is to do, and where. */
export interface StartJobOptions {
  /** `m5.large`, `small`, … Default: the server's choice */
  instanceType?: string;
  region?: string;
  diskSizeGb?: number;
  /** Environment variables, as `NAME=value`. */
  additionalEnv?: readonly string[];
  imageName?: string;
  sendStatusEmail?: boolean;
  /** How old a result of the same job may be, in seconds. Default: it is run */
  cacheMaxAge?: number;
  /** How deep runs are nested already. Default: as deep as the run that asks */
  recursion?: number;
  signal?: AbortSignal;
}

/** What the parts that wait and read need beside a connection. */
export interface JobParts {
  /** Where messages are printed where nobody says. */
  print(line: string): void;
  more?: DecodeMore | undefined;
  /** How deep the run that asks is nested. Default: not at all */
  recursion?: () => Promise<number>;
}

const LIVES = new Set(["pending", "running"]);

/** Makes the functions for jobs. */
export function jobFunctions(
  connection: Connection,
  { print, more, recursion: depth = async () => 0 }: JobParts,
) {
  const status = async (path: string, ask = {}) =>
    fromWire<JobStatus>(await connection.json(path, ask), "a job");

  const self = {
    /**
     * Starts a job. @param config `{ name, steps }` as the wire has it
     * @throws ServerError, as all functions for jobs do
     */
    async startJob(
      config: { readonly name?: string | null; readonly steps: readonly object[] },
      {
        instanceType,
        region,
        diskSizeGb,
        additionalEnv,
        imageName,
        sendStatusEmail,
        cacheMaxAge,
        recursion,
        signal,
      }: StartJobOptions = {},
    ): Promise<JobStatus> {
      return status("run", {
        method: "POST",
        query: { instance_type: instanceType, region, disk_size_gb: diskSizeGb },
        json: {
          config,
          send_status_email: sendStatusEmail ?? false,
          ...(additionalEnv ? { additional_env: additionalEnv } : {}),
          ...(imageName ? { image_name: imageName } : {}),
          ...(cacheMaxAge === undefined ? {} : { cache_max_age: cacheMaxAge }),
        },
        headers: {
          ...connection.settings.runHeaders,
          "fused-recursion": String((recursion ?? (await depth())) + 1),
        },
        timeoutMs: connection.settings.runTimeoutMs,
        signal,
      });
    },

    /** The newest jobs. @param options `n`: how many. Default: 5; `skip`: how many of the newest to leave out */
    async getJobs({ n = 5, skip = 0 }: { n?: number; skip?: number } = {}): Promise<JobEntry[]> {
      return listFromWire<JobEntry>(await connection.pages("job/self", { n, skip }), "jobs");
    },

    /** The logs of a job. @param options `sinceMs`: only what came after: milliseconds since 1970 */
    async jobGetLogs(
      job: JobOrId,
      { sinceMs }: { sinceMs?: number | undefined } = {},
    ): Promise<JobLogEntry[]> {
      const found = await connection.json(`logs/${pathOf(job)}`, { query: { since_ms: sinceMs } });
      return listFromWire<JobLogEntry>(found, "the entries of a log");
    },

    /** Prints the messages of a job's logs, a line each. @param options `print`: what takes a line. Default: the console */
    async jobPrintLogs(
      job: JobOrId,
      { sinceMs, print: to = print }: { sinceMs?: number; print?: (line: string) => void } = {},
    ): Promise<void> {
      for (const { message } of await self.jobGetLogs(job, { sinceMs })) to(message.trim());
    },

    /**
     * Prints the logs of a job while it runs.
     * @param options `refreshSeconds`: between two looks. Default: 1; `sampleLogs`: the newest message of each look only. Default: true;
     *   `timeoutSeconds`: after which to give up; `print`: what takes a line. Default: the console
     * @throws JobPoolTailTimeoutError
     */
    async jobTailLogs(
      job: JobOrId,
      {
        refreshSeconds = 1,
        sampleLogs = true,
        timeoutSeconds = Number.POSITIVE_INFINITY,
        print: to = print,
        signal,
      }: {
        refreshSeconds?: number;
        sampleLogs?: boolean;
        timeoutSeconds?: number;
        print?: (line: string) => void;
        signal?: AbortSignal;
      } = {},
    ): Promise<void> {
      const end = performance.now() + timeoutSeconds * 1000;
      let newest = -1;
      let known = new Set<string>();
      for (;;) {
        // The status first: what is logged before the end is then in the logs.
        const now = await self.jobGetStatus(job);
        const entries = await self.jobGetLogs(job, { sinceMs: newest < 0 ? undefined : newest });
        // Entries of the newest moment may come again.
        const fresh = entries.filter(({ timestamp, message }) => timestamp > newest || !known.has(message));
        const isLive = LIVES.has(now.status);
        for (const { message } of sampleLogs && isLive ? fresh.slice(-1) : fresh) to(message.trimEnd());
        const last = entries.at(-1);
        if (last) {
          newest = last.timestamp;
          known = new Set(
            entries.filter(({ timestamp }) => timestamp === newest).map(({ message }) => message),
          );
        }
        if (!isLive) return;
        if (performance.now() > end) {
          throw new JobPoolTailTimeoutError(`The job ${now.jobId} has not ended after ${timeoutSeconds} s`, {
            allowed: timeoutSeconds * 1000,
          });
        }
        await wait(refreshSeconds * 1000, signal);
      }
    },

    /** A job as it is now. */
    jobGetStatus: async (job: JobOrId): Promise<JobStatus> => status(`run/by-id/${pathOf(job)}`),

    /** Stops a job. @returns it as it is then */
    jobCancel: async (job: JobOrId): Promise<JobStatus> =>
      status(`run/by-id/${pathOf(job)}/cancel`, {
        method: "POST",
        timeoutMs: connection.settings.runTimeoutMs,
      }),

    /** How long a job took, in milliseconds: the time of its last log less that of its first. @throws UsageError where it has no logs */
    async jobGetExecTime(job: JobOrId): Promise<number> {
      const logs = await self.jobGetLogs(job);
      const [first, last] = [logs[0], logs.at(-1)];
      if (!first || !last)
        throw new UsageError(`Cannot tell how long the job ${idOf(job)} took: it has no logs`);
      return last.timestamp - first.timestamp;
    },

    /** Waits until a job has finished. @returns it as it is then @throws UdfTimeoutError */
    async jobWaitForJob(
      job: JobOrId,
      { pollIntervalSeconds = 5, timeoutSeconds = Number.POSITIVE_INFINITY, signal }: JobWait = {},
    ): Promise<JobStatus> {
      const end = performance.now() + timeoutSeconds * 1000;
      for (;;) {
        const now = await self.jobGetStatus(job);
        if (now.finishedJobStatus ?? now.terminalStatus) return now;
        if (performance.now() > end)
          throw new UdfTimeoutError(`The job ${now.jobId} has not finished after ${timeoutSeconds} s`, {
            allowed: timeoutSeconds * 1000,
          });
        await wait(pollIntervalSeconds * 1000, signal);
      }
    },

    /**
     * The results of a job, in the order of its tasks.
     * @throws what the first failing task threw, as a run throws it
     */
    async jobGetResults(job: JobOrId): Promise<RunOutcome[]> {
      const files = await resultFiles(job);
      const results: RunOutcome[] = [];
      for (const index of files.keys()) results.push(await readResult(files[index] as ResultFile));
      return results;
    },

    /** Waits until a job has finished, and gives its results. */
    async jobWaitForResults(job: JobOrId, options: JobWait = {}): Promise<RunOutcome[]> {
      return self.jobGetResults(await self.jobWaitForJob(job, options));
    },
  };

  interface ResultFile {
    url: string;
    metadataUrl: string | undefined;
  }

  async function resultFiles(job: JobOrId): Promise<ResultFile[]> {
    const list = await connection.json(`run/by-id/${pathOf(job)}/results`);
    const urls = new Map(
      (Array.isArray(list) ? list : [])
        .filter(isRecord)
        .map(({ name, url }) => [String(name), String(url)] as const),
    );
    return [...urls.keys()]
      .filter((name) => !name.endsWith(".metadata"))
      .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
      .map((name) => ({ url: urls.get(name) as string, metadataUrl: urls.get(`${name}.metadata`) }));
  }

  /** The places are signed: who we are is none of their business. */
  async function readResult({ url, metadataUrl }: ResultFile): Promise<RunOutcome> {
    const content = await fetched(url);
    const metadata: unknown =
      metadataUrl === undefined
        ? {}
        : JSON.parse(new TextDecoder().decode((await fetched(metadataUrl)).body) || "{}");
    return outcomeOfFile(content, isRecord(metadata) ? metadata : {}, { more });
  }

  async function fetched(url: string) {
    const answer = await connection.send(url);
    if (answer.status < 400) return answer;
    throw new ServerError(
      `Cannot read a result of the job: its address answered with status ${answer.status}`,
      {
        status: answer.status,
        url: answer.url,
      },
    );
  }

  return self;
}

function idOf(job: JobOrId): string {
  const id: unknown = typeof job === "string" ? job : "jobId" in job ? job.jobId : job.id;
  if (typeof id === "string" && id !== "") return id;
  throw new UsageError("A job must be an id, or what was given when it was started or listed");
}

const pathOf = (job: JobOrId) => inPath(idOf(job));

/** `fuselet job`: batch jobs on a server. */
import { UsageError } from "../../runtime/errors.ts";
import { type JobStatus, openServer, type Server } from "../typescript/index.node.ts";
import { sourceOf } from "../typescript/remote.ts";
import type { JobAction, Options } from "./arguments.ts";
import { toColumns } from "./columns.ts";
import { loginFrom } from "./logins.ts";
import { encode, type Output, outputFrom, writeTo } from "./output.ts";
import { openRemoteRuntime } from "./remote-run.ts";
import { forTerminal, type Terminal, write } from "./terminal.ts";

/** The command as it was read. */
export interface JobCommand {
  options: Options;
  action: JobAction;
  /** A UDF for `run`, else a job's id; empty for `list`. */
  target: string;
  parameters: Record<string, string>;
}

const REFRESH_SECONDS = 0.5;
const LISTED = 20;

/** Runs the command. @throws ServerError, UsageError; what the job's UDF threw */
export async function job(
  { options, action, target, parameters }: JobCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const { url, token, scheme } = loginFrom(options, terminal.env);
  const server = await openServer({ baseUrl: url, token, scheme });
  const { stdout } = terminal;
  const show = (text: string) => write(stdout, forTerminal(text, stdout));
  const showStatus = (status: JobStatus) =>
    show(options.has("json") ? `${JSON.stringify(status)}\n` : statusText(status));
  switch (action) {
    case "run": {
      const output = await outputFrom(options, terminal);
      const started = await start(server, { options, target, parameters }, terminal);
      if (!options.has("wait"))
        return show(options.has("json") ? `${JSON.stringify(started)}\n` : `${started.jobId}\n`);
      await follow(server, started.jobId, terminal, signal);
      return results(server, started.jobId, { options, ...output }, terminal);
    }
    case "list":
      return list(server, options, show);
    case "status":
      return showStatus(await server.jobGetStatus(target));
    case "cancel":
      return showStatus(await server.jobCancel(target));
    case "logs": {
      if (options.has("follow"))
        return server.jobTailLogs(target, {
          sampleLogs: false,
          refreshSeconds: REFRESH_SECONDS,
          print: (line) => void show(`${line}\n`),
          signal,
        });
      const entries = await server.jobGetLogs(target);
      return show(
        options.has("json")
          ? `${JSON.stringify(entries)}\n`
          : entries.map(({ message }) => `${message.trimEnd()}\n`).join(""),
      );
    }
    case "results":
      return results(server, target, { options, ...(await outputFrom(options, terminal)) }, terminal);
  }
}

async function start(
  server: Server,
  { options, target, parameters }: Pick<JobCommand, "options" | "target" | "parameters">,
  terminal: Terminal,
): Promise<JobStatus> {
  const instanceType = options.get("instance-type");
  const where = instanceType === undefined ? {} : { instanceType };
  const runtime = await openRemoteRuntime(options, target, terminal);
  try {
    const source = await sourceOf(target, (udf) => runtime.load(udf), server);
    return await server.startUdfJob(source, { parameters, ...where });
  } finally {
    await runtime.close();
  }
}

/** Shows the log until the job ends; who stops waiting stops the job. */
async function follow(server: Server, id: string, { stderr }: Terminal, signal: AbortSignal): Promise<void> {
  try {
    await server.jobTailLogs(id, {
      sampleLogs: false,
      refreshSeconds: REFRESH_SECONDS,
      print: (line) => void stderr.write(forTerminal(`${line}\n`, stderr)),
      signal,
    });
  } catch (error) {
    if (signal.aborted) await server.jobCancel(id).catch(() => {});
    throw error;
  }
}

async function list(server: Server, options: Options, show: (text: string) => Promise<void>): Promise<void> {
  const text = options.get("limit") ?? String(LISTED);
  const n = Number(text);
  if (!/^\d{1,4}$/.test(text) || n < 1)
    throw new UsageError(`Cannot use --limit ${JSON.stringify(text)}: it is a whole number from 1 to 9999`);
  const jobs = await server.getJobs({ n });
  if (options.has("json")) return show(`${JSON.stringify(jobs)}\n`);
  if (jobs.length === 0) return show("there is no job\n");
  return show(
    toColumns(
      jobs.map(({ id, jobStatus, creationDate, name = "" }) => [
        id,
        jobStatus ?? "",
        creationDate.slice(0, 19).replace("T", " "),
        name,
      ]),
    ),
  );
}

function statusText(status: JobStatus): string {
  const { jobId, jobName, jobStatus, instanceType, finishedTasks, totalTasks, error } = status;
  const rows = [
    ["id", jobId],
    ["name", jobName],
    ["status", jobStatus ?? status.status],
    ["tasks", `${finishedTasks} of ${totalTasks}`],
    ...(instanceType ? [["instance", instanceType]] : []),
    ...(error ? [["error", error]] : []),
  ];
  return toColumns(rows);
}

/** Of all tasks as a list, or of one alone. */
async function results(
  server: Server,
  id: string,
  { options, format, file }: Output & { options: Options },
  terminal: Terminal,
): Promise<void> {
  const found = (await server.jobGetResults(id)).map(({ value }) => value);
  const index = options.get("index");
  if (index !== undefined && !(/^\d{1,9}$/.test(index) && Number(index) < found.length)) {
    throw new UsageError(
      `Cannot use --index ${JSON.stringify(index)}: the job has ${found.length} results, which count from 0`,
    );
  }
  const raw = index === undefined ? found : found[Number(index)];
  const bytes = await encode({ raw }, format, file === undefined ? terminal.stdout : undefined, {});
  await writeTo(file, bytes, terminal);
}

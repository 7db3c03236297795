/**
 * What the tasks of a job gave, as files of its owner: `fd://jobs/ID/3.parquet`, and `3.parquet.metadata`, which says how its run went.
 * A task without a result, and one that failed, has an empty file: there is one for each task, so that the published client can count them.
 * They are the owner's, and stay when the job is removed.
 */
import { FuseletError } from "../../runtime/errors.ts";
import type { RunResult } from "../../runtime/result.ts";
import { FORMATS } from "../formats/formats.ts";
import type { JobTask } from "./job.ts";
import type { ResultWriter, User } from "./parts.ts";
import { metadataOfFailure, metadataOfResult } from "./run-metadata.ts";

/** How a task ended. */
export type TaskOutcome = { readonly result: RunResult } | { readonly error: FuseletError };

/** The files of users, as this server gives them out. */
export interface OwnFiles {
  /** Writes a file, whole or not at all. @throws StorageError */
  write(owner: User, path: string, bytes: Uint8Array): Promise<void>;
  /** A URL that can be used without a token for some time. */
  sign(owner: User, path: string): Promise<string>;
}

export interface ResultFile {
  name: string;
  url: string;
  path: string;
  /** In bytes, where it is known. */
  size: number | null;
}

export interface TaskResults {
  /** Keeps what a task gave. @throws StorageError */
  write(owner: User, jobId: string, index: number, outcome: TaskOutcome): Promise<JobTask>;
  /** The files of tasks that have ended. */
  sign(owner: User, jobId: string, tasks: readonly JobTask[]): Promise<ResultFile[]>;
  /** Writes what a job runs to a file. @returns its signed URL. @throws StorageError */
  signConfig(owner: User, jobId: string, config: string): Promise<string>;
}

/** What clients of jobs can read, in the order in which they like it. */
const WISH = { formats: ["npy", "tiff", "parquet", "json"], isFirm: true } as const;

export function openTaskResults(files: OwnFiles, writeResult: ResultWriter): TaskResults {
  const folder = (jobId: string) => `fd://jobs/${jobId}`;
  return {
    async write(owner, jobId, index, outcome) {
      let metadata =
        "result" in outcome ? metadataOfResult(outcome.result) : metadataOfFailure(outcome.error);
      let bytes = new Uint8Array();
      let extension = ".none";
      if ("result" in outcome) {
        try {
          const by = { owner, signal: new AbortController().signal };
          const written = await writeResult(outcome.result, WISH, by);
          bytes = written.bytes as Uint8Array<ArrayBuffer>;
          if (bytes.length > 0) extension = extensionOf(written.mediaType);
        } catch (error) {
          if (!(error instanceof FuseletError)) throw error;
          metadata = metadataOfFailure(error, true);
        }
      }
      const file = `${index}${extension}`;
      const path = `${folder(jobId)}/${file}`;
      await files.write(owner, path, bytes);
      await files.write(owner, `${path}.metadata`, encodeJson({ ...NOTHING_SAID, ...metadata }));
      return { index, isFailure: metadata.has_exception, file, bytes: bytes.length };
    },
    async sign(owner, jobId, tasks) {
      const signed = async (name: string, size: number | null): Promise<ResultFile> => {
        const path = `${folder(jobId)}/${name}`;
        return { name, url: await files.sign(owner, path), path, size };
      };
      return Promise.all(
        tasks.flatMap(({ file, bytes }) => [signed(file, bytes), signed(`${file}.metadata`, null)]),
      );
    },
    async signConfig(owner, jobId, config) {
      const path = `${folder(jobId)}/config.json`;
      await files.write(owner, path, new TextEncoder().encode(config));
      return files.sign(owner, path);
    },
  };
}

/** The published client asks for all of them. */
const NOTHING_SAID = {
  exception: null,
  exception_class: null,
  errormsg: null,
  error_type: null,
  lineno: null,
  profile: null,
};

const encodeJson = (value: object) => new TextEncoder().encode(JSON.stringify(value));

/** By which it is known what the file is when somebody gets it. */
function extensionOf(mediaType: string): string {
  const type = mediaType.split(";")[0];
  const format = Object.values(FORMATS).find((one) => one.mediaType.split(";")[0] === type);
  return format?.extension ?? ".bin";
}

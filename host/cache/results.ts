/**
 * Kept results of runs, on top of the cache. What a run reads of its context is known only once it has run, so there are two
 * entries: one under the key of what is known before, which names the fields that were read; and the result, under that key and
 * what these fields hold. Who looks for a result looks for the first, and then for the second.
 *
 * A result depends on nothing else that is known here: what a run fetched or read elsewhere, the time and chance are not in its
 * key. That is what its age is for.
 */
import { FuseletError } from "../../runtime/errors.ts";
import type {
  FindOptions,
  FoundRun,
  KeptResults,
  KeptRun,
  ResultKey,
  RunLease,
  RunUses,
} from "../../runtime/results.ts";
import { contextValue, type RunContext } from "../context/context.ts";
import { MAX_AGE_MS } from "./age.ts";
import { sha256 } from "./blobs.ts";
import type { Cache, Found, Lease } from "./cache.ts";
import { canonical } from "./canonical.ts";
import { CacheError } from "./errors.ts";
import { pack, unpack } from "./packed.ts";

/** Changes with the layout of what is kept. */
const LAYOUT = 1;
/** Larger results are not kept. */
const MOST_BYTES = 256 * 1024 ** 2;
/** So long nobody waits for a run of something whose result was last not for keeping. */
const PRIVATE_MS = 10 * 60 * 1000;
/** Formats of the two kinds of entries. */
export const FIELDS_FORMAT = "run fields";
export const RUN_FORMAT = "run";

export interface ResultsOptions {
  cache: Cache;
  /** Of fuselet: another one may run the same code in another way. */
  version: string;
  /** Told why something is not kept, or cannot be read. */
  onProblem: (problem: string) => void;
}

/** The right to run, and what for. */
interface Held {
  asked: ResultKey;
  base: string;
  context: RunContext;
  lease: Lease;
  /** Those that the lease's key has; undefined where it is that of the fields themselves. */
  fields: readonly string[] | undefined;
}

/** Where results of runs are kept. */
export function runResults({ cache, version, onProblem }: ResultsOptions): KeptResults {
  const look = (key: string, asked: ResultKey, options: Partial<FindOptions>): Promise<Found> =>
    cache.begin({
      key,
      maxAgeMs: options.maxAgeMs ?? MAX_AGE_MS,
      reset: options.reset ?? false,
      lockTimeoutMs: options.waitMs ?? 0,
      labels: { name: asked.udf.name, udf: asked.udf.name, principal: asked.principal, folder: "" },
      ...(options.signal ? { signal: options.signal } : {}),
    });

  /** Takes the right to write an entry, if nobody else has it just now: whoever has one already must not wait for another. */
  const takeNow = async (key: string, asked: ResultKey): Promise<Lease | undefined> => {
    try {
      const found = await look(key, asked, { reset: true });
      return found.state === "compute" ? found.lease : undefined;
    } catch (error) {
      if (error instanceof CacheError && error.code === "timeout") return undefined;
      throw error;
    }
  };

  /** Writes the fields, or null: what is here is not for keeping. */
  const writeFields = async ({ asked, base, lease, fields }: Held, read: readonly string[] | null) => {
    const list = fields === undefined ? lease : await takeNow(base, asked);
    await list?.commit({ format: FIELDS_FORMAT, body: new TextEncoder().encode(JSON.stringify(read)) });
  };

  const write = async (held: Held, run: KeptRun, uses: RunUses) => {
    const { asked, base, context } = held;
    if (!uses.isShareable) return writeFields(held, null);
    const head = new TextEncoder().encode(JSON.stringify([run.stdout, run.stderr]));
    const size = run.reply.buffers.reduce((sum, { length }) => sum + length, run.reply.text.length);
    if (size > MOST_BYTES)
      return onProblem(`The result of ${asked.udf.name} is not kept: it has ${size} bytes`);
    const body = pack({ text: run.reply.text, buffers: [head, ...run.reply.buffers] });
    const isKnown =
      held.fields !== undefined && [...uses.fields].every((field) => held.fields?.includes(field));
    if (isKnown) return void (await held.lease.commit({ format: RUN_FORMAT, body }));
    const fields = [...new Set([...(held.fields ?? []), ...uses.fields])].sort();
    const result = await takeNow(await resultKey(base, context, fields), asked);
    await result?.commit({ format: RUN_FORMAT, body });
    // Behind the result, so that whoever waits for the fields finds it.
    await writeFields(held, fields);
  };

  /** The right to run, for the runtime. */
  const leaseOf = (held: Held): RunLease => {
    const quietly = async (work: () => Promise<unknown>) => {
      try {
        await work();
      } catch (error) {
        onProblem(`The result of ${held.asked.udf.name} is not kept: ${(error as Error).message}`);
      }
    };
    return {
      keep: (run, uses) =>
        quietly(async () => {
          await write(held, run, uses);
          await held.lease.abandon();
        }),
      abandon: () => quietly(() => held.lease.abandon()),
    };
  };

  const find = async (asked: ResultKey, options: FindOptions): Promise<FoundRun | RunLease | undefined> => {
    const context = options.context as RunContext;
    const base = await baseKey(asked, version);
    const { signal, waitMs } = options;
    const begin = async (reset: boolean): Promise<FoundRun | RunLease | undefined> => {
      const listed = await look(base, asked, { signal, waitMs, reset });
      if (listed.state === "compute")
        return leaseOf({ asked, base, context, lease: listed.lease, fields: undefined });
      const fields = readFields(listed.body);
      if (fields === null)
        return Date.now() - listed.entry.createdAtMs < PRIVATE_MS ? undefined : begin(true);
      const found = await look(await resultKey(base, context, fields), asked, options);
      if (found.state === "hit") return { ...readRun(found.body), keptAtMs: found.entry.createdAtMs, fields };
      return leaseOf({ asked, base, context, lease: found.lease, fields });
    };
    return begin(false);
  };

  return {
    async find(asked, options) {
      try {
        return await find(asked, options);
      } catch (error) {
        // Nobody's run fails because of the cache.
        if (!(error instanceof FuseletError)) throw error;
        onProblem(`Results of ${asked.udf.name} are not kept: ${error.message}`);
        return undefined;
      }
    },
  };
}

async function baseKey({ parameters, ...rest }: ResultKey, version: string): Promise<string> {
  const buffers = await Promise.all(parameters.buffers.map(sha256));
  return `run/${await sha256(JSON.stringify([LAYOUT, version, canonical(rest), parameters.text, buffers]))}`;
}

async function resultKey(base: string, context: RunContext, fields: readonly string[]): Promise<string> {
  const read = fields.map((field) => [field, contextValue(context, field)]);
  return `${base}/${await sha256(JSON.stringify(read))}`;
}

/** What was written here and has its seal is read as it is; another version's would have another key. */
function readFields(body: Uint8Array): string[] | null {
  return JSON.parse(new TextDecoder().decode(body)) as string[] | null;
}

function readRun(body: Uint8Array): KeptRun {
  const {
    text,
    buffers: [head = new Uint8Array(), ...buffers],
  } = unpack(body);
  const [stdout, stderr] = JSON.parse(new TextDecoder().decode(head)) as [string, string];
  return { reply: { text, buffers }, stdout, stderr };
}

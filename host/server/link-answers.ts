/**
 * Answers to runs by a link, in memory: a tile that many look at is found once, and written once.
 *
 * A request that was answered is remembered too: what answers it depends on nothing but its text, the store and the time, so while
 * nobody has written to the store, it is answered again without being looked into.
 */
import type { HonoRequest, MiddlewareHandler } from "hono";
import type { ServerEnv, ServerParts } from "./parts.ts";
import { RecentMap } from "./recent-map.ts";
import { againAnswer, type ResultAge, type RunAnswer, toResponse } from "./run-answer.ts";
import { readRunId } from "./run-request.ts";

const MOST_BYTES = 128 * 1024 * 1024;
/** Larger ones are not kept here. */
const MOST_OF_ONE = 4 * 1024 * 1024;
/** Of requests that are remembered. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

interface Kept {
  answer: RunAnswer;
  /** When its result was made. */
  atMs: number;
}

/** What a request was answered with. */
export interface Answered {
  /** What the answer is kept under. */
  key: string;
  age: ResultAge;
}

export class LinkAnswers {
  readonly #kept = new RecentMap<Kept>({ entries: Number.POSITIVE_INFINITY, weight: MOST_BYTES });
  readonly #requests = new RecentMap<Answered & { state: string }>({
    entries: Number.POSITIVE_INFINITY,
    weight: MOST_CHARACTERS,
  });

  /** @returns one that is not older, as it is given again */
  get(key: string, age: ResultAge, runId: string, by: "public" | "private"): RunAnswer | undefined {
    const found = this.#kept.get(key);
    const now = Date.now();
    // One that was made later than now is of before the clock was set back: nobody knows how old it is.
    const leftMs = found && found.atMs <= now ? found.atMs + age.ms - now : 0;
    return found && leftMs > 0 ? againAnswer(found.answer, runId, leftMs, age, by) : undefined;
  }

  put(key: string, answer: RunAnswer, atMs: number): void {
    const bytes =
      answer.body.length + (answer.headers["x-fused-metadata"]?.length ?? 0) + 2 * key.length + 500;
    if (bytes <= MOST_OF_ONE) this.#kept.set(key, { answer, atMs }, bytes);
  }

  /** @param request of `requestText` @param state of the store before the request was looked into */
  remember(request: string, state: string, answered: Answered): void {
    this.#requests.set(request, { ...answered, state }, request.length + answered.key.length + 100);
  }

  /** Answers a request that anybody may make, as it was answered before. @param state of the store now */
  again(request: string, state: string, runId: string): RunAnswer | undefined {
    const found = this.#requests.get(request);
    if (found?.state !== state || found.age.untilMs <= Date.now()) return undefined;
    return this.get(found.key, found.age, runId, "public");
  }
}

/** Answers what was answered before. Other requests have `c.get("remember")`, where their answer may be given again. */
export function answerAgain(
  answers: LinkAnswers,
  { storeState }: Pick<ServerParts, "storeState">,
): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    const request = requestText(c.req);
    if (request === undefined) return next();
    // Before anything is looked up: what is written from here on makes it another state.
    const state = await storeState();
    const again = answers.again(request, state, readRunId(c.req.header("fused-run-id")));
    if (again) return toResponse(again, c.req);
    c.set("remember", (answered) => answers.remember(request, state, answered));
    await next();
  };
}

const RUN = /\/run(\/|$)/;

/** All that its answer depends on; undefined where it is no run by a link that asks for what anybody may have. */
function requestText(request: HonoRequest): string | undefined {
  const { url, method } = request;
  const path = url.slice(url.indexOf("/", url.indexOf("://") + 3));
  if (method !== "GET" || !RUN.test(request.path) || request.header("authorization") !== undefined)
    return undefined;
  // A part may be of an older result than the whole.
  if (request.header("range") !== undefined) return undefined;
  return [path, request.header("accept") ?? "", request.header("user-agent") ?? ""].join("\n");
}

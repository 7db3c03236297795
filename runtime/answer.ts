/** What an isolate answers, as the runtime takes it: checked on arrival. */
import { tableBuilder } from "./columns.ts";
import { FuseletError, IsolateError, LimitExceededError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { RunResult } from "./result.ts";
import type { KeptRun } from "./results.ts";
import { decodeParsed, type Encoded, fitsAsObjects } from "./value.ts";

/** From 2 ** 28 characters in one text on, V8's JSON.stringify ends the process: there is nothing to catch. */
const MOST_TEXT = 2 ** 28 - 2 ** 16;

/** How the answers of our guests begin that have a value. */
const OK = '{"ok":true,"value":';

/** @throws LimitExceededError for an answer that is too long as text, or small as text and fills memory as objects */
export function readReply(
  { text }: Encoded,
  outputBytes: number,
): { ok: true; value: unknown; valueText: string } | { ok: false; error: unknown } {
  if (text.length > MOST_TEXT) {
    throw new LimitExceededError(
      `The result has ${text.length} characters beside its tables, arrays and bytes: at most ${MOST_TEXT} are allowed`,
      { limit: "outputBytes", allowed: MOST_TEXT },
    );
  }
  if (!fitsAsObjects(text, 2 * outputBytes)) {
    throw new LimitExceededError(
      `The result has too many lists and objects for limits.outputBytes (${outputBytes}): return a table or an array, or raise it`,
      { limit: "outputBytes", allowed: outputBytes },
    );
  }
  let parsed: unknown;
  try {
    if (text.startsWith(OK) && text.endsWith("}")) {
      const valueText = text.slice(OK.length, -1);
      return { ok: true, value: JSON.parse(valueText), valueText };
    }
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new IsolateError("The isolate's answer is no JSON", { cause });
  }
  const answer = (typeof parsed === "object" && parsed !== null ? parsed : {}) as {
    ok?: unknown;
    value?: unknown;
    error?: unknown;
  };
  if (answer.ok !== true) return { ok: false, error: answer.error };
  return { ok: true, value: answer.value, valueText: JSON.stringify(answer.value ?? null) };
}

/** Bytes, of text characters. */
export const sizeOf = ({ text, buffers }: Encoded): number =>
  buffers.reduce((sum, buffer) => sum + buffer.length, text.length);

/** @returns undefined for a kept result that cannot be read */
export async function readKept(
  { reply }: KeptRun,
  limits: Limits,
  details: Parameters<typeof RunResult.of>[1],
): Promise<RunResult | undefined> {
  try {
    const answer = readReply(reply, limits.outputBytes);
    if (!answer.ok) return undefined;
    const value = decodeParsed(answer.value, reply.buffers, await tableBuilder(reply.text));
    const encoded = { text: answer.valueText, buffers: reply.buffers };
    return await RunResult.of(value, { ...details, encoded });
  } catch (error) {
    if (error instanceof FuseletError) return undefined;
    throw error;
  }
}

/** Errors carry the output that came before them: it often says why. */
export function withOutput(error: unknown, output: { stdout: string; stderr: string }): unknown {
  if (error instanceof FuseletError) Object.assign(error, output);
  return error;
}

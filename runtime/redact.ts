/** Taking out of what a run shows what must not be shown: the host says what that is, once there is anything. */
import { FuseletError } from "./errors.ts";
import type { Encoded } from "./value.ts";

export interface Redaction {
  text(text: string): string;
  /** Plain data, with all texts in it. */
  value(value: unknown): unknown;
  /** As many bytes. */
  bytes(bytes: Uint8Array): Uint8Array;
  /** For bytes that come in parts. `take` gives what was held back as it came, to somebody who goes on with it. */
  stream(options: { keepsLength: boolean }): {
    push(part: Uint8Array): Uint8Array;
    take(): Uint8Array;
    end(): Uint8Array;
  };
}

/** The parsed value of an answer, to be decoded, and the same as text and buffers. */
export function redactAnswer(
  { value, valueText }: { value: unknown; valueText: string },
  buffers: Encoded["buffers"],
  redaction: Redaction | undefined,
): [value: unknown, encoded: Encoded] {
  if (!redaction) return [value, { text: valueText, buffers }];
  const shown = redaction.value(value);
  const text = JSON.stringify(shown);
  return [
    shown,
    {
      // Where there was nothing to take out, what the isolate wrote tells more.
      text: text === JSON.stringify(value) ? valueText : text,
      buffers: buffers.map((bytes) => redaction.bytes(bytes)),
    },
  ];
}

/** An error with all its texts: message, traceback and what else its class has. */
export function redactError(error: unknown, redaction: Redaction | undefined): unknown {
  if (!redaction || !(error instanceof FuseletError)) return error;
  const fields = error as unknown as Record<string, unknown>;
  for (const name of ["message", "stack", "cause", ...Object.keys(error)])
    if (typeof fields[name] === "string" && name !== "name") fields[name] = redaction.text(fields[name]);
  return error;
}

/** Output of a stream on its way, of which more may have to be taken out as the run goes on. */
export class RedactedOutput {
  readonly #redaction: () => Redaction | undefined;
  #last: Redaction | undefined;
  #stream: ReturnType<Redaction["stream"]> | undefined;

  constructor(redaction: () => Redaction | undefined) {
    this.#redaction = redaction;
  }

  /** @returns what is sure by now */
  push(part: Uint8Array): Uint8Array[] {
    const redaction = this.#redaction();
    if (!redaction) return [part];
    if (redaction === this.#last && this.#stream) return [this.#stream.push(part)];
    // It takes out what the one before did, and more: what is held back may still become any of it.
    const held = this.#stream?.take() ?? new Uint8Array(0);
    this.#last = redaction;
    this.#stream = redaction.stream({ keepsLength: false });
    return [this.#stream.push(held), this.#stream.push(part)];
  }

  /** @returns what was held back */
  end(): Uint8Array[] {
    return this.#stream ? [this.#stream.end()] : [];
  }
}

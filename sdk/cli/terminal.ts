/** What the verbs write to: two streams, whether they are terminals, and what may be shown there. */
import type { Writable } from "node:stream";
import type { ReadStream } from "node:tty";

export interface Stream extends Writable {
  isTTY?: boolean;
  columns?: number;
}

export interface Terminal {
  /** A terminal only if its `isTTY` says so. */
  stdin?: ReadStream;
  stdout: Stream;
  stderr: Stream;
  env: Readonly<Record<string, string | undefined>>;
}

/** Progress as it comes from the runtime. */
export interface ProgressEvent {
  phase: string;
  message: string;
  done?: number;
  total?: number;
}

/** Whether colours may be used: on a terminal, unless NO_COLOR (https://no-color.org) or TERM=dumb says no. */
export function hasColor(stream: Stream, env: Terminal["env"]): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

/** What stands before each line of a question of ours; nothing else on a terminal may look so. */
export const FRAME = { side: "┃", end: "┗" } as const;

/** Heavy lines, which are the frame's, as light ones. */
const LIGHT: Readonly<Record<string, string>> = { "┏": "┌", "┃": "│", "┗": "└" };

/**
 * Colours of letters, bold, dim, italic, underlined, struck out. Not among them: what paints the ground, as the titles of our
 * questions have it, and what hides letters. No text matches in two ways, so that the search is short.
 */
const COLOR = /^(?:(?:0?[0-49]|2[1-57-9]|3[0-79]|9[0-7]|38;5;\d{1,3}|38;2(?:;\d{1,3}){3})?(?:;|$))*$/;

/**
 * Takes out of a text what could steer the terminal or pass for a question of ours: a UDF's output is not to be trusted.
 * Colours, tabs and line breaks stay. Text for a file or a pipe is not changed.
 */
export function forTerminal(text: string, stream: Stream): string {
  if (!stream.isTTY) return text;
  return text.replace(
    /\u001b\[([\d;]*)m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]|[┏┃┗]/g,
    (found: string, color: string | undefined) => {
      if (color !== undefined) return COLOR.test(color) ? found : "";
      return found === "\r" ? found : (LIGHT[found] ?? "");
    },
  );
}

/** Writes and waits until the stream took it. Nobody reading any more (EPIPE) is no error: `head` does that. */
export function write(stream: Stream, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => {
      if (error && (error as NodeJS.ErrnoException).code !== "EPIPE") reject(error);
      else resolve();
    });
  });
}

/** One line of standard error that is written over and over; on a terminal only. What is worth a line of its own gets one. */
export class ProgressLine {
  readonly #terminal: Terminal;
  #shown = false;
  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }
  /** Shows an event in place of the last one. */
  show({ phase, message, done, total }: ProgressEvent): void {
    const { stderr } = this.#terminal;
    if (phase === "cache") {
      this.clear();
      stderr.write(`note: ${forTerminal(message, stderr).replace(/[\r\n]+/g, " ")}\n`);
      return;
    }
    if (!stderr.isTTY || this.#terminal.env.TERM === "dumb") return;
    const count = done !== undefined && total !== undefined && total > 0 ? ` (${done}/${total})` : "";
    const text = forTerminal(`${message}${count}`, stderr).replace(/[\r\n]+/g, " ");
    stderr.write(`\r\u001b[2K${text.slice(0, Math.max(1, (stderr.columns ?? 80) - 1))}`);
    this.#shown = true;
  }
  /** Removes the line, before anything else is written. */
  clear(): void {
    if (this.#shown) this.#terminal.stderr.write("\r\u001b[2K");
    this.#shown = false;
  }
}

/** Standard error while a UDF runs: its output, one line of progress, our notes and questions, each on lines of its own. */
import { forTerminal, type ProgressEvent, ProgressLine, type Terminal, write } from "./terminal.ts";

export class Screen {
  readonly #terminal: Terminal;
  readonly #progress: ProgressLine;
  /** What has come while a question is open; undefined while none is. */
  #held: (() => void)[] | undefined;
  #endsLine = true;
  /** The UDF's last colour may still be on. */
  #colored = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#progress = new ProgressLine(terminal);
  }

  /** What the UDF writes. */
  output(text: string): void {
    if (text === "") return;
    this.#later(() => {
      const { stderr } = this.#terminal;
      const shown = forTerminal(text, stderr);
      this.#progress.clear();
      stderr.write(shown);
      this.#endsLine = text.endsWith("\n");
      this.#colored ||= stderr.isTTY === true && shown.includes("\u001b");
    });
  }

  /** What takes long. */
  progress(event: ProgressEvent): void {
    this.#later(() => this.#progress.show(event));
  }

  /** A line of ours. */
  note(text: string): void {
    this.#later(() => {
      this.#begin();
      this.#terminal.stderr.write(`note: ${forTerminal(text, this.#terminal.stderr)}\n`);
    });
  }

  /** Asks something; what comes meanwhile is shown afterwards. One at a time. */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    this.#begin();
    const held: (() => void)[] = [];
    this.#held = held;
    try {
      return await question();
    } finally {
      this.#held = undefined;
      for (const show of held) show();
    }
  }

  /** Makes sure that what is written next begins a line, in the terminal's own colours. */
  async end(): Promise<void> {
    await write(this.#terminal.stderr, this.#beginning());
  }

  #later(show: () => void): void {
    if (this.#held) this.#held.push(show);
    else show();
  }

  #begin(): void {
    this.#terminal.stderr.write(this.#beginning());
  }

  #beginning(): string {
    this.#progress.clear();
    const text = `${this.#colored ? "\u001b[0m" : ""}${this.#endsLine ? "" : "\n"}`;
    [this.#colored, this.#endsLine] = [false, true];
    return text;
  }
}

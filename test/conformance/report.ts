/** What came of all cases on one platform: lines for people, and the file that is compared with other platforms'. */
import type { Canonical } from "./canonical.ts";
import type { Report, Verdict } from "./run.ts";

export class Collector {
  passed = 0;
  failed = 0;
  readonly #platform: string;
  readonly #verbose: boolean;
  readonly #report: Report = { results: {}, skipped: {} };

  constructor(platform: string, verbose: boolean) {
    this.#platform = platform;
    this.#verbose = verbose;
  }

  /** Counts a case and prints it where it failed. */
  add({ name, outcome, skipped, problems, ms }: Verdict): void {
    if (skipped !== null) {
      this.#report.skipped[name] = skipped;
      return;
    }
    this.#report.results[name] = outcome;
    if (problems.length > 0) this.failed++;
    else this.passed++;
    if (problems.length > 0) console.log(`FAILED ${this.#platform}: ${name}\n    ${problems.join("\n    ")}`);
    else if (this.#verbose) console.log(`ok ${this.#platform}: ${name} (${ms} ms)`);
  }

  /** The file's text: one case a line, in the order of their names. */
  text(): string {
    const lines = (entries: Record<string, Canonical>) =>
      Object.entries(entries)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
        .join(",\n");
    const { results, skipped } = this.#report;
    return `{"results": {\n${lines(results)}\n}, "skipped": {\n${lines(skipped)}\n}}\n`;
  }

  summary(): string {
    const skipped = Object.keys(this.#report.skipped).length;
    return `${this.#platform}: ${this.passed} passed, ${this.failed} failed, ${skipped} skipped`;
  }
}

/** Counters and gauges in the text format of Prometheus (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4). */

export type Labels = Readonly<Record<string, string>>;

/** Upper bounds of the buckets of durations, in seconds: those of Prometheus' own clients. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Histogram {
  counts: number[];
  sum: number;
  count: number;
}

export class Metrics {
  readonly #help = new Map<string, { help: string; type: "counter" | "gauge" | "histogram" }>();
  readonly #counters = new Map<string, Map<string, number>>();
  readonly #gauges = new Map<string, () => number>();
  readonly #histograms = new Map<string, Map<string, Histogram>>();

  /** Declares a counter. Its name ends with `_total`. @returns counts one more, or `by` */
  counter(name: string, help: string): (labels?: Labels, by?: number) => void {
    this.#help.set(name, { help, type: "counter" });
    const values = new Map<string, number>();
    this.#counters.set(name, values);
    return (labels = {}, by = 1) => {
      const key = labelText(labels);
      values.set(key, (values.get(key) ?? 0) + by);
    };
  }

  /** Declares a gauge, which is read when somebody looks. */
  gauge(name: string, help: string, read: () => number): void {
    this.#help.set(name, { help, type: "gauge" });
    this.#gauges.set(name, read);
  }

  /** Declares durations in seconds. @returns notes one */
  duration(name: string, help: string): (seconds: number, labels?: Labels) => void {
    this.#help.set(name, { help, type: "histogram" });
    const values = new Map<string, Histogram>();
    this.#histograms.set(name, values);
    return (seconds, labels = {}) => {
      const key = labelText(labels);
      let found = values.get(key);
      if (!found) values.set(key, (found = { counts: BUCKETS.map(() => 0), sum: 0, count: 0 }));
      found.sum += seconds;
      found.count++;
      const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
      if (bucket >= 0) found.counts[bucket]!++;
    };
  }

  /** What `/metrics` answers. */
  text(): string {
    const lines: string[] = [];
    for (const [name, { help, type }] of this.#help) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      const read = this.#gauges.get(name);
      if (read) lines.push(`${name} ${read()}`);
      for (const [labels, value] of this.#counters.get(name) ?? [])
        lines.push(`${name}${braced(labels)} ${value}`);
      for (const [labels, { counts, sum, count }] of this.#histograms.get(name) ?? []) {
        let below = 0;
        BUCKETS.forEach((bound, i) => {
          below += counts[i]!;
          lines.push(`${name}_bucket${braced(join(labels, `le="${bound}"`))} ${below}`);
        });
        lines.push(`${name}_bucket${braced(join(labels, 'le="+Inf"'))} ${count}`);
        lines.push(`${name}_sum${braced(labels)} ${sum}`, `${name}_count${braced(labels)} ${count}`);
      }
    }
    return `${lines.join("\n")}\n`;
  }
}

const join = (labels: string, more: string) => (labels === "" ? more : `${labels},${more}`);
const braced = (labels: string) => (labels === "" ? "" : `{${labels}}`);

/** Values are few and ours: routes, methods, statuses. */
function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`)
    .join(",");
}

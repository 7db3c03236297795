/** Runs cases on the platform that it is on. Portable: Node's runner and the page's both use it. */
import type { Capabilities } from "../../runtime/isolate/platform.ts";
import type { Language } from "../../runtime/udf.ts";
import type { Binding, FuseletRuntime, RunOptions, RuntimeOptions } from "../../sdk/typescript/compose.ts";
import { testBindings } from "./bindings.ts";
import { type Canonical, canonical, differences, errorForm } from "./canonical.ts";
import {
  type Asking,
  type Bench,
  type Case,
  type DistributionName,
  type Expectation,
  type FuseletModule,
  type Outcome,
  type Source,
  sourceOf,
} from "./case.ts";

/** What a platform brings. */
export interface ConformancePlatform {
  fuselet: FuseletModule;
  /** @param distribution the one to run Python from */
  createRuntime(distribution: DistributionName, options: RuntimeOptions): Promise<FuseletRuntime>;
  /** Host and port of net-server.ts. */
  server: string;
  /** Why a distribution is not there, or null. */
  missing(distribution: DistributionName): string | null;
}

/** One case in one language. `outcome` is null where it was skipped. */
export interface Verdict {
  /** Title and language. */
  name: string;
  outcome: Canonical;
  skipped: string | null;
  problems: string[];
  ms: number;
}

/** What a platform's run comes to: the content of `results/PLATFORM.json`. */
export interface Report {
  results: Record<string, Canonical>;
  skipped: Record<string, string>;
}

const LANGUAGES: readonly Language[] = ["python", "typescript"];

/** Each language of each case. @throws Error where two cases have one title */
export function namesOf(cases: readonly Case[]): { name: string; spec: Case; language: Language }[] {
  const all = cases.flatMap((spec) =>
    LANGUAGES.filter((language) => spec[language] !== undefined).map((language) => ({
      name: `${spec.title} [${language}]`,
      spec,
      language,
    })),
  );
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name)) throw new Error(`Two cases are called "${name}"`);
    names.add(name);
  }
  return all;
}

/** Runs cases one after the other. `onVerdict` hears of each as it is known. */
export async function runCases(
  cases: readonly Case[],
  platform: ConformancePlatform,
  onVerdict: (verdict: Verdict) => void,
): Promise<void> {
  const shared = new Map<string, Promise<FuseletRuntime>>();
  const open = (spec: Case) => {
    const { permissions } = spec;
    const distribution = spec.distribution ?? "core";
    const key = JSON.stringify([distribution, permissions]);
    // No spares: a case takes whatever there is, and starting what nobody takes would cost as much as the cases.
    const runtime =
      shared.get(key) ??
      platform.createRuntime(distribution, {
        ...grantsOf(permissions, platform.fuselet),
        pool: { spares: 0 },
      });
    shared.set(key, runtime);
    return runtime;
  };
  try {
    for (const { name, spec, language } of namesOf(cases)) {
      const started = performance.now();
      const report = (outcome: Canonical, skipped: string | null, problems: string[]) =>
        onVerdict({ name, outcome, skipped, problems, ms: Math.round(performance.now() - started) });
      const missing = platform.missing(spec.distribution ?? "core");
      if (missing !== null) {
        report(null, missing, []);
        continue;
      }
      const runtime = await open(spec);
      const unable = (spec.needs ?? []).filter((need) => !runtime.capabilities[need as keyof Capabilities]);
      if (unable.length > 0) {
        report(null, `this platform has no ${unable.join(", ")}`, []);
        continue;
      }
      const { outcome, problems } = await judge(spec, language, runtime, platform);
      report(outcome, null, problems);
    }
  } finally {
    for (const runtime of shared.values()) await (await runtime).close();
  }
}

/** What a runtime gets: cases with permissions have the host's own files, others those of bindings.ts. */
function grantsOf(
  permissions: Case["permissions"],
  fuselet: FuseletModule,
): Pick<RuntimeOptions, "permissions" | "host"> {
  const { test, ...files } = testBindings(fuselet);
  return permissions
    ? { permissions, host: { test: test as Binding } }
    : { host: { test: test as Binding, ...files } };
}

async function judge(
  spec: Case,
  language: Language,
  runtime: FuseletRuntime,
  platform: ConformancePlatform,
): Promise<{ outcome: Canonical; problems: string[] }> {
  const expected: Expectation = { ...spec, ...(language === "python" ? spec.inPython : spec.inTypeScript) };
  const own: FuseletRuntime[] = [];
  const bench = openBench(spec, language, runtime, platform, own);
  try {
    if (spec.scenario) {
      const outcome = withoutPort(canonical(await spec.scenario(bench)), platform.server);
      return { outcome, problems: differences(outcome, canonical(expected.value)) };
    }
    const runs = spec.runs ?? [{}];
    const outcomes: Outcome[] = [];
    const problems: string[] = [];
    for (const [i, run] of runs.entries()) {
      const outcome = await bench.outcome(runOptions({ ...spec, ...run }, platform.fuselet));
      outcomes.push(outcome);
      const where = spec.runs ? `run ${i + 1}: ` : "";
      problems.push(...compare(outcome, merge(expected, run)).map((line) => where + line));
    }
    return { outcome: spec.runs ? outcomes : (outcomes[0] as Outcome), problems };
  } catch (error) {
    return { outcome: null, problems: [`the case itself failed: ${(error as Error).stack}`] };
  } finally {
    for (const made of own) await made.close();
  }
}

/** An outcome in which the server has its name. */
function withoutPort(outcome: Canonical, server: string): Canonical {
  return JSON.parse(JSON.stringify(outcome).replaceAll(server, "SERVER"));
}

/** What is said of a run alone counts before what is said of all; an error that one expects is no value. */
function merge(all: Expectation, run: Expectation): Expectation {
  const { value, error, ...rest } = all;
  const result =
    "value" in run || "error" in run
      ? {}
      : { ...("value" in all ? { value } : {}), ...(error ? { error } : {}) };
  return { ...rest, ...result, ...run };
}

function runOptions(
  { parameters, tile, limits, principal, owner }: Asking,
  fuselet: FuseletModule,
): RunOptions {
  return {
    ...(parameters
      ? { parameters: typeof parameters === "function" ? parameters(fuselet) : parameters }
      : {}),
    ...(tile ? { tile } : {}),
    ...(limits ? { limits } : {}),
    ...(principal ? { principal } : {}),
    ...(owner ? { owner } : {}),
  };
}

function openBench(
  spec: Case,
  language: Language,
  shared: FuseletRuntime,
  platform: ConformancePlatform,
  own: FuseletRuntime[],
): Bench {
  return {
    language,
    source: sourceOf(language, spec[language] as Source),
    fuselet: platform.fuselet,
    server: platform.server,
    runtime: shared,
    async createRuntime(options = {}) {
      const runtime = await platform.createRuntime(spec.distribution ?? "core", {
        ...grantsOf(spec.permissions, platform.fuselet),
        ...options,
      });
      own.push(runtime);
      return runtime;
    },
    async outcome(options = {}, { runtime = shared, source = spec[language] as Source } = {}) {
      try {
        const result = await runtime.run(sourceOf(language, source), options);
        return { value: canonical(result.raw), stdout: result.stdout, stderr: result.stderr };
      } catch (error) {
        const { stdout, stderr } = error as { stdout?: string; stderr?: string };
        return {
          error: errorForm(error, spec.varying ?? []),
          stdout: stdout ?? "",
          stderr: stderr ?? "",
        };
      }
    },
  };
}

/** Where an outcome is not as expected. */
function compare(outcome: Outcome, expected: Expectation): string[] {
  const problems = (["stdout", "stderr"] as const).flatMap((stream) =>
    expected[stream] === null ? [] : matches(outcome[stream], expected[stream] ?? "", stream),
  );
  const error = outcome.error as Record<string, Canonical> | undefined;
  if (!expected.error) {
    if (error) return [`it failed: ${JSON.stringify(error, null, 1)}`, ...problems];
    return [...differences(outcome.value as Canonical, canonical(expected.value)), ...problems];
  }
  if (!error) return [`it gave ${JSON.stringify(outcome.value)} instead of failing`, ...problems];
  for (const [field, wanted] of Object.entries(expected.error))
    problems.push(...matches(error[field], wanted, `error.${field}`));
  return problems;
}

function matches(actual: Canonical | undefined, wanted: unknown, path: string): string[] {
  if (!(wanted instanceof RegExp)) return differences(actual ?? null, canonical(wanted), path);
  return typeof actual === "string" && wanted.test(actual)
    ? []
    : [`${path}: ${JSON.stringify(actual)} does not match ${wanted}`];
}

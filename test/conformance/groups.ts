/** Cases of many values at once: putting memory back after each run would take longer than the values do. */
import { type CaseSpec, type Expectation, pythonWith } from "./case.ts";

/** Python expressions by name, each with what is expected of it. */
export type Group<E = unknown> = Readonly<Record<string, readonly [expression: string, expectation: E]>>;
type Distribution = NonNullable<CaseSpec["distribution"]>;

/** A Python dict of a group's expressions, each after `prefix`. */
const dictOf = (group: Group, prefix = ""): string =>
  `{${Object.entries(group).map(([name, [expression]]) => `${JSON.stringify(name)}: ${prefix}${expression}`)}}`;

/** A Python UDF that gives all values of a group in one run. @param before the text before it: imports */
export const valuesOf = (group: Group, before: string, distribution: Distribution) => ({
  python: pythonWith("", dictOf(group), before),
  distribution,
  value: Object.fromEntries(Object.entries(group).map(([name, [, value]]) => [name, value])),
});

/** A Python UDF that gives the value that it is asked for: each of the group is refused, in a run of its own, with this error. */
export const refusalsOf = <E>(
  group: Group<E>,
  before: string,
  distribution: Distribution,
  errorOf: (expectation: E) => NonNullable<Expectation["error"]>,
) => ({
  python: pythonWith("name: str", `${dictOf(group, "lambda: ")}[name]()`, before),
  distribution,
  runs: Object.entries(group).map(([name, [, expectation]]) => ({
    parameters: { name },
    error: errorOf(expectation),
  })),
});

/** What a Python UDF gave, given to it again as `again`: it says by name whether each of its values came back as it was. */
export const roundTrip = (python: string, distribution: Distribution) =>
  ({
    python,
    distribution,
    scenario: async ({ runtime, source }) => {
      const { raw } = await runtime.run(source);
      return (await runtime.run(source, { parameters: { again: raw } })).value;
    },
    value: Object.fromEntries([...python.matchAll(/^ {4}"(.+?)": lambda/gm)].map(([, name]) => [name, true])),
  }) satisfies CaseSpec;

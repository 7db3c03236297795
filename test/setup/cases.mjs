/** The cases of a suite: run one after the other, and counted as `npm test` reads it. */

/** Words on the command line choose cases by their titles. */
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));

/** Whether a case is to run. */
export const isWanted = (title) => wanted.length === 0 || wanted.some((word) => title.includes(word));

/** The same cases, of which the last that will run closes what they share: no other could, where words choose cases. */
export function closingAfter(cases, close) {
  const last = Object.keys(cases).filter(isWanted).at(-1);
  if (last === undefined) return cases;
  const run = async () => {
    try {
      await cases[last]();
    } finally {
      await close();
    }
  };
  return { ...cases, [last]: run };
}

const total = { passed: 0, failed: 0 };

/**
 * Runs those that are wanted, and says of each how it went.
 * @param {Iterable<[title: string, run: (...given: any[]) => unknown]>} cases a case that returns a text was skipped, and says why
 * @param {unknown[]} given to each
 * @returns {Promise<number>} how many have failed
 */
export async function runCases(cases, ...given) {
  let failed = 0;
  for (const [title, run] of cases) {
    if (!isWanted(title)) continue;
    const started = performance.now();
    try {
      const skipped = await run(...given);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const isSkipped = typeof skipped === "string";
      console.log(
        `${isSkipped ? "skip  " : "ok    "} ${title}${isSkipped ? `: ${skipped}` : ""} (${seconds} s)`,
      );
      if (!isSkipped) total.passed++;
    } catch (error) {
      failed++;
      console.log(`FAILED ${title}\n${error.stack ?? error}`);
    }
  }
  total.failed += failed;
  return failed;
}

/** Prints `N passed, N failed`, and sets the exit status. */
export function report() {
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed ? 1 : 0;
}

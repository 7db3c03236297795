/** How the server ends. */
import type { Log } from "./log.ts";

/** Takes each step, whatever becomes of those before it, and logs what fails. @throws the first failure */
export async function inOrder(
  log: Pick<Log, "error">,
  steps: Readonly<Record<string, () => unknown>>,
): Promise<void> {
  const failures: unknown[] = [];
  for (const [step, take] of Object.entries(steps)) {
    try {
      await take();
    } catch (error) {
      log.error("close", error, { step });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

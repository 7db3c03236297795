/** The other end of pyodide-living.mjs. */
import { fork } from "node:child_process";
import { join } from "node:path";

/** Starts a Pyodide that stays. @returns its `ask(action, argument)` and `close()` */
export async function livingPyodide(distribution, packages = []) {
  const child = fork(join(import.meta.dirname, "pyodide-living.mjs"), [distribution, ...packages]);
  const answer = () =>
    new Promise((resolve, reject) => {
      const ended = (status) => reject(new Error(`The raw Pyodide ended with ${status}`));
      child.once("exit", ended);
      child.once("message", ({ value }) => {
        child.off("exit", ended);
        resolve(value);
      });
    });
  await answer();
  return {
    ask(action, argument = {}) {
      child.send({ action, ...argument });
      return answer();
    },
    close() {
      child.disconnect();
    },
  };
}

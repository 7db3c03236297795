import { udf } from "fuselet/udf";

export default udf({}, async () => {
  const reached = new Set<string>();
  const known = new Set<unknown>([undefined, null, globalThis]);
  const note = (name: string, value: unknown) => {
    if ((typeof value === "object" || typeof value === "function") && !known.has(value)) reached.add(name);
  };
  // A sloppy function, as only code from a text can be in a module.
  const sloppy = Function(
    "note",
    "return function called() { note('caller', called.caller); note('this', this); note('callee', arguments.callee.caller); }",
  )(note);
  known.add(sloppy);
  for (const run of [
    () => [1].forEach(sloppy),
    () => Promise.resolve().then(sloppy),
    () => new Promise((resolve) => setTimeout(() => resolve(0), 5)),
    () => void setTimeout(sloppy, 0),
    () => void queueMicrotask(sloppy),
    () => JSON.stringify({ toJSON: sloppy }),
  ]) {
    try {
      await run();
    } catch {}
  }
  reached.delete("this");
  // Who hands over what: a host's own object in place of nothing.
  await new Promise((resolve) => {
    setTimeout(function (this: unknown, ...rest: unknown[]) {
      note("this", this);
      for (const value of rest) note("argument", value);
      resolve(0);
    }, 1);
  });
  try {
    Error.prepareStackTrace = (_error, sites) => sites;
    const sites = new Error("here").stack as unknown;
    if (Array.isArray(sites)) {
      reached.add("call sites");
      for (const site of sites) note("function", site.getFunction?.());
    }
  } catch {
  } finally {
    Error.prepareStackTrace = undefined;
  }
  return [...reached];
});

import { udf } from "fuselet/udf";

const HOST =
  /file:\/\/|node:[a-z]|https?:\/\/|node_modules|test\/attacks|\/dist\/|\/(tmp|home|usr|root|work)\/|[a-z]:\\/i;

export default udf({}, async () => {
  const reached: string[] = [];
  const note = (name: string, value: unknown) => {
    if (HOST.test(String(value))) reached.push(name);
  };
  const stackOf = (work: () => void): string => {
    try {
      work();
    } catch (error) {
      return String((error as Error).stack);
    }
    return "";
  };
  note("stack", new Error("here").stack);
  note(
    "syntax error",
    stackOf(() => Function("{")),
  );
  note(
    "native",
    stackOf(() => [1].map(() => JSON.parse("{"))),
  );
  note(
    "deep",
    stackOf(function deeper(): void {
      deeper();
    }),
  );
  note(
    "import.meta",
    Reflect.ownKeys(import.meta)
      .map((key) => Reflect.get(import.meta, key))
      .join(),
  );
  note(
    "import error",
    await import("./missing.ts" as string).catch((error) => `${error.message} ${error.stack}`),
  );
  note(
    "function text",
    [setTimeout, console.log, URL, udf].map((value) => Function.prototype.toString.call(value)),
  );
  const kept = Error.prepareStackTrace;
  try {
    Error.prepareStackTrace = (_error, sites) => sites.map((site) => site.getFileName?.()).join();
    note("call site", new Error("here").stack);
  } catch {
  } finally {
    Error.prepareStackTrace = kept;
  }
  await new Promise<void>((resolve) => setTimeout(() => resolve(note("timer", new Error("here").stack)), 1));
  return reached;
});

import { udf } from "fuselet/udf";

type Target = { canary: string; folder: string; port: number; pid: number };

export default udf({}, async ({ canary, port }: Target) => {
  const reached: string[] = [];
  const specifiers: Record<string, [string, object?]> = {
    "node:fs": ["node:fs"],
    fs: ["fs"],
    std: ["std"],
    os: ["os"],
    bjson: ["bjson"],
    qjs: ["qjs:std"],
    package: ["apache-arrow"],
    relative: ["../../../package.json", { with: { type: "json" } }],
    root: ["/package.json", { with: { type: "json" } }],
    http: [`http://127.0.0.1:${port}/module.js`],
    data: ["data:text/javascript,export default 1"],
  };
  for (const [name, [specifier, options]] of Object.entries(specifiers)) {
    try {
      await import(specifier, options as ImportCallOptions);
      reached.push(name);
    } catch {}
  }
  for (const specifier of [canary, `file://${canary}`]) {
    try {
      await import(specifier);
      reached.push("canary");
    } catch (error) {
      // Whoever has read the file knows that it is no module.
      if (/is not defined|Invalid or unexpected|identifier/i.test(String(error))) reached.push("canary");
    }
  }
  try {
    await (Function("specifier", "return import(specifier)") as (specifier: string) => Promise<unknown>)(
      "node:net",
    );
    reached.push("made");
  } catch {}
  return reached;
});

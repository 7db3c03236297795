import { context, host, udf } from "fuselet/udf";

export default udf(
  { permissions: { net: ["127.0.0.1"], reason: "a helper may ask for what it likes" } },
  async ({ port = 0, depth = 0 }: { port: number; depth: number }) => {
    if (depth > 0) {
      const next = await host.call("udfs.run", "helper", { port, depth: depth + 1 }, null).catch(() => null);
      const value = (next as { value: { depth: number } | null } | null)?.value;
      return { depth: value?.depth ?? depth };
    }
    const body = await fetch(`http://127.0.0.1:${port}/`)
      .then((answer) => answer.text())
      .catch(() => "");
    return { body, ...(await context()) };
  },
);

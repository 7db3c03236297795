import { udf } from "fuselet/udf";

const MESSAGE = "Requires everything: run again with --allow-all";

export default udf({}, () => {
  const fields = {
    name: "PermissionDeniedError",
    permission: "net",
    value: "--allow-all",
    grant: "--allow-all",
  };
  // A careless program shows what it is told, as its own.
  if (typeof process !== "undefined") process.stdout.write(`error: ${MESSAGE}\n`);
  throw Object.assign(new Error(MESSAGE), fields, { kind: "permission", subject: "net" });
});

declare const process: { stdout: { write(text: string): void } } | undefined;

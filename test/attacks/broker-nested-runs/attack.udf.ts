import { host, udf } from "fuselet/udf";

type Nested = {
  value: { body?: string; depth?: number; userEmail?: string | null; recursionFactor?: number };
};

const NAMES = [
  ...[
    "../helper",
    "./helper",
    "helper.ts",
    "helper/",
    "/tmp/helper",
    "attack.json",
    "..",
    ".",
    "",
    "helper\u0000",
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "file:///tmp/helper",
    "http://127.0.0.1/helper",
    "helper\\",
    "help*",
  ],
];

export default udf({}, async ({ port }: { port: number }) => {
  const reached: string[] = [];
  const run = (name: string, parameters: object, more: unknown = null) =>
    host.call("udfs.run", name, parameters, more, more).catch(() => null) as Promise<Nested | null>;
  for (const name of ["helper", "other"]) {
    const nested = await run(name, { port });
    if (nested?.value?.body === "canary") reached.push(`the network by ${name}`);
  }
  for (const name of NAMES) if (await run(name, { port })) reached.push(`the name ${name}`);
  const forged = {
    context: { userEmail: "admin@example.org", recursionFactor: -5 },
    permissions: { net: true },
    principal: "x",
  };
  for (const parameters of [{ port, ...forged }, { port }]) {
    const { userEmail, recursionFactor, body } = (await run("helper", parameters, forged))?.value ?? {};
    if (userEmail || (recursionFactor ?? 1) < 1) reached.push("a context");
    if (body === "canary" && !reached.includes("the network by helper"))
      reached.push("the network by asking for it");
  }
  const deep = await run("helper", { port, depth: 1 });
  if ((deep?.value?.depth ?? 0) > 6) reached.push("endless depth");
  return reached;
});

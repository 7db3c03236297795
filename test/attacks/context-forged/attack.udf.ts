import { context, host, udf } from "fuselet/udf";

export default udf({}, async () => {
  const reached: string[] = [];
  const found = (await context()) as unknown as Record<string, unknown>;
  try {
    found.userEmail = "admin@example.org";
    (found.headers as Record<string, string>)["x-a"] = "forged";
    found.recursionFactor = -1;
  } catch {}
  const wishes = {
    userEmail: "admin@example.org",
    headers: { "x-a": "forged" },
    kind: "batch",
    principal: "admin",
  };
  for (const name of ["context.get", "context.set", "context.update", "context.constructor"])
    await host.call(name, wishes, "admin@example.org").catch(() => {});
  const again = (await host.call("context.get")) as typeof found;
  const { userEmail, headers, kind, recursionFactor } = again;
  const isOwn = userEmail === "own@example.org" && kind === "realtime" && recursionFactor === 0;
  if (!isOwn || (headers as Record<string, string>)["x-a"] !== "own") reached.push("the host's answer");
  return reached;
});

import { context, host, udf } from "fuselet/udf";

const EMAILS: Record<string, string> = { victim: "victim@example.org", attacker: "attacker@example.org" };

declare global {
  var kept: unknown[];
}
globalThis.kept ??= [];

export default udf({}, async ({ who }: { who: string }) => {
  const reached: string[] = [];
  const forged = { principal: "victim", runId: "1", headers: { cookie: "forged" } };
  const contexts = [await context(), await host.call("context.get", forged), ...globalThis.kept];
  for (const found of contexts as {
    userEmail: string | null;
    headers: object;
    shareToken: string | null;
  }[]) {
    const { userEmail, headers, shareToken } = found;
    if (userEmail !== null && userEmail !== EMAILS[who]) reached.push(`${userEmail} by ${who}`);
    if ((shareToken !== null || Object.keys(headers).length > 0) && who !== "victim")
      reached.push(`headers by ${who}`);
  }
  globalThis.kept.push(contexts[0]);
  // It goes on after the run: whatever comes to it then is another's.
  setTimeout(async () => globalThis.kept.push(await context()), 5);
  void context().then((found) => globalThis.kept.push(found));
  return reached;
});

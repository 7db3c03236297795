import { expect, test } from "vitest";
import { PermissionDeniedError } from "../../runtime/errors.ts";
import { addressPolicy } from "../net/address-policy.ts";
import { createBroker } from "./broker.ts";
import type { Permissions } from "./descriptor.ts";
import { servedDenial } from "./served.ts";

async function denial(permission: "net" | "cache" | "read", value: string, permissions: Permissions = {}) {
  const caller = { principal: "p", udf: { name: "u", hash: "h" }, runId: "r", permissions };
  const broker = createBroker({ permissions });
  const error = await broker.require(permission, value, caller).catch((error) => error);
  expect(error).toBeInstanceOf(PermissionDeniedError);
  return error as PermissionDeniedError;
}

test("what is not granted: who can grant it, and with what", async () => {
  const error = await denial("net", "example.org:443");
  expect(error.message).toBe(
    'Requires net access to "example.org:443": run again with --allow-net=example.org:443',
  );
  const served = servedDenial(Object.assign(error, { stdout: "said\n" }));
  expect(served.message).toBe(
    'Requires net access to "example.org:443", which is not granted here. Whoever runs this server can grant it (fuselet serve --allow-net=example.org:443), or an admin, where the user\'s own permissions leave it out',
  );
  expect(served).toMatchObject({
    permission: "net",
    value: "example.org:443",
    grant: error.grant,
    stdout: "said\n",
  });
  expect(servedDenial(served)).toBe(served);
  expect(servedDenial(await denial("cache", "")).message).toContain("fuselet serve --allow-cache)");
});

test("what is denied names no rule of the server", async () => {
  const permissions = { net: true, deny: { net: ["*.internal.example"] } };
  const served = servedDenial(await denial("net", "db.internal.example:443", permissions));
  expect(served.message).toMatch(
    /^Requires net access to "db.internal.example:443", which is denied here: by /,
  );
  expect(served.message).not.toContain("--");
});

test("what cannot be granted at all says so as before", async () => {
  const error = await denial("net", "exa mple");
  expect(servedDenial(error)).toBe(error);
});

test("addresses behind a granted name", () => {
  const error = addressPolicy({ net: ["example.org"] }).refusal("example.org", "10.0.0.1", 80)!;
  expect(servedDenial(error).message).toMatch(
    /^Requires net access to "10.0.0.1:80".*which is not granted here\. .*fuselet serve/,
  );
});

test("what was taken out of a text does not come back", async () => {
  const error = await denial("net", "secret.example:443");
  error.message = error.message.replaceAll("secret", "***");
  expect(servedDenial(error).message).not.toContain("secret");
});

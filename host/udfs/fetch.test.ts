import { expect, test } from "vitest";
import { serve } from "../net/fixtures/servers.ts";
import { Guard } from "../net/guard.ts";
import { openTransport } from "../net/transport.node.ts";
import { createBroker, type Decision } from "../permissions/broker.ts";
import { checkPermissions } from "../permissions/descriptor.ts";
import { fetchSource } from "./fetch.ts";

test("the URL of a source is in the audit log without its query", async () => {
  await using server = await serve((_, response) => response.end("code"));
  const transport = openTransport();
  const decisions: Decision[] = [];
  const permissions = checkPermissions({ net: [`127.0.0.1:${server.port}`] });
  const broker = createBroker({ permissions, onDecision: (decision) => decisions.push(decision) });
  const url = new URL(`${server.url}/a/udf.py?token=hidden-value`);
  const bytes = await fetchSource(new Guard(transport), url, { principal: "me", permissions, broker });
  await transport.close();
  expect(new TextDecoder().decode(bytes)).toBe("code");
  expect(server.requests).toEqual(["GET /a/udf.py?token=hidden-value"]);
  expect(decisions.length).toBeGreaterThan(0);
  expect(JSON.stringify(decisions)).toContain(`${server.url}/a/udf.py"`);
  expect(JSON.stringify(decisions)).not.toContain("hidden-value");
});

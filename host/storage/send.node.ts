/** Requests to configured services from Node, by undici: codings stay as they are, redirects are not followed. */
import { Agent } from "undici";
import type { Send } from "./send.ts";

/** Opens connections for a host's storage. */
export function openSend(): { send: Send; close: () => Promise<void> } {
  const agent = new Agent({
    connections: 32,
    connectTimeout: 10_000,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  });
  return {
    async send({ origin, path, method, headers, body, signal }) {
      const answer = await agent.request({
        origin,
        path,
        method: method as "GET",
        headers: { "user-agent": "fuselet", ...headers },
        body,
        signal,
      });
      return {
        status: answer.statusCode,
        header: (name) => [answer.headers[name]].flat()[0] ?? null,
        body: answer.body,
      };
    },
    close: () => agent.destroy(),
  };
}

import { expect, test } from "vitest";
import { eventsOf } from "./events.ts";

test("events are read wherever their bytes are parted", async () => {
  const text = new TextEncoder().encode("event: a\r\ndata: é1\r\ndata: 2\r\n\r\n: comment\n\ndata:3\n\n");
  for (const size of [1, 3, 100]) {
    const parts = async function* () {
      for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size);
    };
    const events = [];
    for await (const event of eventsOf(parts())) events.push(event);
    expect(events).toEqual([
      { event: "a", data: "é1\n2" },
      { event: "message", data: "3" },
    ]);
  }
});

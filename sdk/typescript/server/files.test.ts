import { expect, test } from "vitest";
import { asked, bytes, json, open, replies } from "./fixtures/wire-server.ts";

test("the disk that runs share is /mount, and nothing else that begins so", async () => {
  replies["GET files/get"] = [bytes("other", "text/plain")];
  replies["GET efs/rt/download"] = [bytes("shared", "text/plain")];
  replies["POST efs/rt/list"] = [json({ items: [] })];
  const text = async (path: string) => new TextDecoder().decode(await open().get(path));
  expect([await text("file:///mount/a"), await text("/mount/a")]).toEqual(["shared", "shared"]);
  expect([await text("file:///mountain/a"), await text("/mountain/a")]).toEqual(["other", "other"]);
  expect(await open().list("file:///mount")).toEqual([]);
  expect(asked.at(-1)?.body).toBe('{"item":""}');
});

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type FakeGcs, startFakeGcs } from "../../test/host/fake-gcs.ts";
import { storageCases } from "../../test/host/storage-cases.ts";
import { openRuns, pattern, type Runs, text, textOf } from "../../test/host/storage-run.ts";
import { gsDriver } from "./gs.ts";
import { openSend } from "./send.node.ts";

const MiB = 1024 * 1024;
let gcs: FakeGcs;
let run: Runs;
let number = 0;
const { send, close } = openSend();

beforeAll(async () => {
  gcs = await startFakeGcs();
  run = openRuns({ gs: gsDriver({ send, key: gcs.key, endpoint: gcs.url }) });
});
afterEach(() => {
  run.end();
  gcs.keptBytes = Infinity;
  gcs.objects.clear();
});
afterAll(async () => {
  await close();
  await gcs[Symbol.asyncDispose]();
});

const failure = (code: string) => expect.objectContaining({ name: "StorageError", code });

test.each(Object.entries(storageCases))("%s", async (_name, body) => {
  await body({ run, base: `gs://bucket/case-${number++}` });
});

test("one token serves many requests", async () => {
  await using other = await startFakeGcs();
  const storage = openRuns({ gs: gsDriver({ send, key: other.key, endpoint: other.url }) })();
  for (let round = 0; round < 2; round++)
    await Promise.all(Array.from({ length: 5 }, (_, i) => storage.put(`gs://bucket/${i}`, text("1"))));
  expect([other.tokens, other.objects.size]).toEqual([1, 5]);
});

test("an account that Google does not know gets nothing, and nothing of its key is shown", async () => {
  await using other = await startFakeGcs();
  const { token_uri: _, ...rest } = JSON.parse(other.key) as Record<string, string>;
  const key = JSON.stringify({ ...rest, token_uri: `${gcs.url}/token` });
  const runs = openRuns({ gs: gsDriver({ send, key, endpoint: gcs.url }) });
  const error = await runs()
    .get("gs://bucket/a")
    .catch((cause: Error) => cause);
  expect(error).toEqual(failure("access"));
  expect((error as Error).message).toBe("Google gives the host's service account no token (status 400)");
});

test.each([
  ["no JSON", "-----BEGIN PRIVATE KEY-----"],
  ["a list", "[]"],
  ["without a key", '{"client_email":"a","token_uri":"https://a"}'],
  ["of a user", '{"type":"authorized_user","client_id":"a","refresh_token":"secret"}'],
])("a key file that is %s is told, and not shown", (_what, key) => {
  expect(() => gsDriver({ send, key })).toThrow(
    expect.objectContaining({ name: "UsageError", message: expect.not.stringMatching(/secret|BEGIN/) }),
  );
});

test("signed URLs read and write, and only what they are for", async () => {
  const storage = run();
  const place = "gs://bucket/f/a b+ü%41&'()*!.txt";
  await storage.put(place, text("hello"));
  const readable = await storage.sign(place, { expiresSeconds: 60 });
  expect(await (await fetch(readable)).text()).toBe("hello");
  const writable = await storage.sign("gs://bucket/f/new", { method: "PUT" });
  expect((await fetch(writable, { method: "PUT", body: "written" })).status).toBe(200);
  expect(textOf(await storage.get("gs://bucket/f/new"))).toBe("written");
  expect(Object.keys(await storage.signPrefix("gs://bucket/f/"))).toEqual(["f/a b+ü%41&'()*!.txt", "f/new"]);
  for (const changed of [
    readable.replace("bucket/f", "bucket/g"),
    readable.replace("Expires=60", "Expires=600"),
  ])
    expect((await fetch(changed)).status).toBe(403);
  expect((await fetch(readable, { method: "PUT", body: "x" })).status).toBe(403);
  const short = await storage.sign(place, { expiresSeconds: 1 });
  await expect.poll(async () => (await fetch(short)).status, { timeout: 5000 }).toBe(403);
});

test("a part of which the service keeps less is sent again from there", async () => {
  gcs.keptBytes = 3 * MiB;
  const storage = run();
  const bytes = pattern(20 * MiB);
  const upload = await storage.openWrite("gs://bucket/a", { contentType: "image/tiff" });
  for (let at = 0; at < bytes.length; at += 5 * MiB)
    await storage.writePart(upload, bytes.subarray(at, at + 5 * MiB));
  await storage.commitWrite(upload);
  expect(gcs.objects.get("a")?.bytes.equals(bytes)).toBe(true);
  expect(gcs.objects.get("a")?.contentType).toBe("image/tiff");
});

test("a long file that is given up leaves no upload behind", async () => {
  const storage = run();
  const upload = await storage.openWrite("gs://bucket/a");
  for (let i = 0; i < 2; i++) await storage.writePart(upload, pattern(6 * MiB));
  expect(gcs.sessions.size).toBe(1);
  storage.end();
  await expect.poll(() => gcs.sessions.size).toBe(0);
  expect(gcs.objects.size).toBe(0);
});

test("failures that pass are no failures", async () => {
  const storage = run();
  gcs.failures = 3;
  await storage.put("gs://bucket/a", text("1"));
  gcs.failures = 1;
  expect(textOf(await storage.get("gs://bucket/a"))).toBe("1");
  gcs.failures = 10;
  await expect(storage.get("gs://bucket/a")).rejects.toEqual(failure("network"));
  gcs.failures = 0;
});

test("keys that no place can have are not listed, but deleted with their folder", async () => {
  const storage = run();
  for (const name of ["f/a", "f/", "f//b"])
    gcs.objects.set(name, {
      bytes: Buffer.from("1"),
      generation: 1,
      contentType: "",
      updated: new Date(0).toISOString(),
    });
  const { entries } = await storage.list("gs://bucket/f/", { recursive: true });
  expect(entries.map(({ url }) => url)).toEqual(["gs://bucket/f/a"]);
  gcs.objects.set("f/../g", { bytes: Buffer.from("1"), generation: 1, contentType: "", updated: "" });
  await expect(storage.delete("gs://bucket/f/")).rejects.toThrow(/cannot be named safely/);
  gcs.objects.delete("f/../g");
  expect(await storage.delete("gs://bucket/f/")).toBe(true);
  expect([...gcs.objects.keys()]).toEqual([]);
});

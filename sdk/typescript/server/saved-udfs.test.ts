import { describe, expect, test } from "vitest";
import { asked, json, open, origin, replies, source } from "./fixtures/wire-server.ts";

describe("what is saved", () => {
  test("is listed in all of its pages", async () => {
    const udf = (slug: string) => ({
      id: slug,
      slug,
      udf_body: JSON.stringify({ name: slug, code: "" }),
      collection_name: "c",
    });
    replies["GET udf/self"] = [json([udf("a"), { slug: "broken" }]), json([udf("b")]), json([])];
    const found = await open().getUdfs({ collectionName: "c" });
    expect(found.map(({ name, collection }) => [name, collection])).toEqual([
      ["a", "c"],
      ["b", "c"],
    ]);
    expect(asked.map(({ query }) => query.skip)).toEqual(["0", "2", "3"]);
  });

  test("is replaced only where that is said", async () => {
    replies["GET user/self"] = [json({ email: "a@b" })];
    replies["GET udf/by-user-email/a@b/by-collection/default/by-slug/one"] = [
      json({}, 404),
      json({ id: "9", slug: "one", udf_body: "{}" }),
    ];
    const saved = { id: "9", slug: "one", udf_body: '{"name":"one"}', version: 2 };
    replies["POST udf/new"] = [json(saved)];
    replies["POST udf/by-id/9"] = [json(saved)];
    const server = open();
    expect(await server.saveUdf(source())).toMatchObject({ id: "9", version: 2 });
    await expect(server.saveUdf(source())).rejects.toThrow('There is a UDF "one" already');
    await server.saveUdf(source(), { overwrite: true });
    expect(asked.at(-1)?.path).toBe("udf/by-id/9");
  });

  test("is scheduled at times that exist; a second schedule takes the place of the first", async () => {
    replies["GET udf/by-id/01234567-89ab-cdef-0123-456789abcdef"] = [
      json({ id: "9", slug: "one", udf_body: '{"name":"one"}' }),
    ];
    replies["GET cronjob/by-udf-id/9"] = [json([]), json([{ id: "c1" }])];
    replies["POST cronjob/create"] = [json({ id: "c1", day_of_week: [0] })];
    replies["PUT cronjob/by-id/c1"] = [json({ id: "c1" })];
    const server = open();
    const id = "01234567-89ab-cdef-0123-456789abcdef";
    expect(await server.scheduleUdf(id, { minute: 5, hour: [1, 2] })).toEqual({ id: "c1", dayOfWeek: [0] });
    expect(JSON.parse(asked.at(-1)?.body as string)).toMatchObject({
      minute: [5],
      hour: [1, 2],
      day_of_week: [0, 1, 2, 3, 4, 5, 6],
      udf: "9",
      enabled: true,
    });
    await server.scheduleUdf(id, { minute: 5, hour: 0 });
    expect(asked.at(-1)?.method).toBe("PUT");
    await expect(server.scheduleUdf(id, { minute: 60, hour: 0 })).rejects.toThrow(
      "minute must be whole numbers from 0 to 59: received 60",
    );
  });

  test("has tokens; a session token of a collection makes a link", async () => {
    replies["GET user/self"] = [json({ email: "a@b" })];
    replies["POST udf-access-token/new"] = [json({ token: "fsh_1", udf_slug: "one" })];
    replies["POST session-token/by-access-token/fc_1"] = [
      json({ session_token: "v:1:s", expires_at: "2026-01-01" }),
    ];
    const server = open();
    expect(await server.createUdfAccessToken("one")).toEqual({ token: "fsh_1", udfSlug: "one" });
    expect(JSON.parse(asked.at(-1)?.body as string)).toMatchObject({
      udf_email: "a@b",
      udf_slug: "one",
      client_id: "rt",
      cache: true,
    });
    const link = await server.sharedUdfUrl("one", { collection: "fc_1" });
    expect(link.url).toBe(`${origin}/fc_1/one/run?fused_session_token=v%3A1%3As`);
    await expect(server.sessionToken()).rejects.toThrow(/No shared collection is known/);
  });
});

test("a file is sent as a form to the place that the server names, which learns nothing of who we are", async () => {
  replies["GET files/sign-upload"] = [json({ url: `${origin}/put`, fields: { key: 'a"b' } })];
  replies["POST /put"] = [json(null, 204)];
  replies["GET files/list-details"] = [
    json([{ url: "fd://a/", file_name: "a", is_directory: true, size: null, last_modified: null }]),
  ];
  const server = open();
  await server.upload("héllo", "fd://x.txt");
  expect(asked[0]?.query).toEqual({ path: "fd://x.txt", content_length: "6" });
  expect(asked[1]?.headers.authorization).toBeUndefined();
  expect(asked[1]?.body).toMatch(
    /^--([\w-]+)\r\n.*name="key"\r\n\r\na"b\r\n--\1\r\n.*name="file"; filename="file"\r\n\r\nhéllo\r\n--\1--\r\n$/s,
  );
  expect(await server.list("fd://")).toEqual([
    { url: "fd://a/", name: "a", isDirectory: true, size: null, lastModified: null },
  ]);
});

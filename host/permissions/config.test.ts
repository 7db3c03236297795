import { describe, expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { parseConfig } from "./config.ts";
import { CONFIG_SCHEMA } from "./schema.ts";

const parse = (content: unknown, folder = "/home/ada/project") =>
  parseConfig(typeof content === "string" ? content : JSON.stringify(content), {
    name: "fuselet.json",
    folder,
  });

describe("parseConfig()", () => {
  test("reads sets and the audit log, from JSON and TOML alike", async () => {
    const json = await parse({
      $schema: "./fuselet.schema.json",
      permissions: { default: { net: ["A.org"] }, "read-data": { read: ["/data"], deny: { net: true } } },
      auditLog: "log.jsonl",
    });
    expect([...json.sets]).toEqual([
      ["default", { net: ["a.org"] }],
      ["read-data", { read: ["/data"], deny: { net: true } }],
    ]);
    expect(json.auditLog).toBe("/home/ada/project/log.jsonl");
    const toml = await parseConfig(
      'auditLog = "log.jsonl"\n[permissions.default]\nnet = ["A.org"]\n[permissions.read-data]\nread = ["/data"]\ndeny.net = true\n',
      { name: "fuselet.toml", folder: "/home/ada/project" },
    );
    expect(toml).toEqual(json);
    expect(await parse({})).toEqual({ sets: new Map(), auditLog: undefined });
  });
  test("takes relative paths from the file's folder", async () => {
    const paths = [
      "data",
      "./data/a",
      "../b",
      "../../../../c",
      ".",
      "..",
      "./",
      "/d",
      "s3://bucket/e",
      "file:///f",
    ];
    const { sets } = await parse({
      permissions: { default: { read: paths, deny: { write: ["x"] }, run: ["x"] } },
    });
    expect(sets.get("default")).toEqual({
      read: [
        "/home/ada/project/data",
        "/home/ada/project/data/a",
        "/home/ada/b",
        "/c",
        "/home/ada/project",
        "/home/ada",
        "/d",
        "s3://bucket/e",
        "/f",
      ],
      deny: { write: ["/home/ada/project/x"] },
      run: ["x"],
    });
    const root = await parse({ permissions: { default: { read: [".", "a", "../b"] } } }, "/");
    expect(root.sets.get("default")?.read).toEqual(["/", "/a", "/b"]);
  });
  test.each([
    ["{", "Cannot use fuselet.json: it is no JSON: Expected property name"],
    ["[]", "Cannot use fuselet.json: it must hold an object"],
    [{ permission: {} }, '"permission" is unknown; names are $schema, permissions, auditLog'],
    [{ permissions: [] }, "permissions must be an object"],
    [{ permissions: { "a b": {} } }, 'permissions has the name "a b"'],
    ['{"permissions": {"__proto__": {"net": true}}}', 'permissions has the name "__proto__"'],
    [
      { permissions: { default: { net: ["https://a.org"] } } },
      'Cannot set fuselet.json: permissions.default.net[0]: it is a URL; name the host alone: a.org: received "https://a.org"',
    ],
    [
      { permissions: { default: null } },
      "Cannot set fuselet.json: permissions.default: it must be an object",
    ],
    [
      { permissions: { default: { read: ["a/../b"] } } },
      "permissions.default.read[0]: it has a part . or ..",
    ],
    [{ permissions: { default: { read: [""] } } }, "permissions.default.read[0]: it is empty"],
    [{ permissions: { default: { read: [1] } } }, "permissions.default.read[0]"],
    [{ auditLog: true }, "auditLog must be the path of a file: received true"],
  ])("of %j says why not", async (content, message) => {
    await expect(parse(content)).rejects.toThrow(message);
    await expect(parse(content)).rejects.toThrow(UsageError);
  });
  test("says where a text is no TOML", async () => {
    const broken = parseConfig('[permissions.default]\nnet = ["a.org"\n', {
      name: "fuselet.toml",
      folder: "/",
    });
    await expect(broken).rejects.toThrow(
      /^Cannot use fuselet\.toml: it is no TOML: line \d+, column \d+: \w/,
    );
    await expect(broken).rejects.toThrow(UsageError);
  });
});

test("CONFIG_SCHEMA names what parseConfig() knows", async () => {
  expect(Object.keys(CONFIG_SCHEMA.properties)).toEqual(["$schema", "permissions", "auditLog"]);
  await parse({ $schema: "x", permissions: {}, auditLog: "x" });
});

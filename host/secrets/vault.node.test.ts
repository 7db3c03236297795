import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "../store/store.node.ts";
import { openVault } from "./vault.node.ts";
import type { OpenVault } from "./vault.ts";

let folder: string;
const opened: OpenVault[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fuselet-vault-"));
});
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
  rmSync(folder, { recursive: true, force: true });
});

function open(keyText?: string, where = folder): OpenVault["vault"] {
  const vault = openVault(where, keyText);
  opened.push(vault);
  return vault.vault;
}
const HEX = "0123456789abcdef".repeat(4);

test("secrets are set, read, listed, replaced and deleted, each principal's own", async () => {
  const vault = open();
  expect(await vault.list("ada")).toEqual([]);
  expect(await vault.read("ada", "KEY")).toBeUndefined();
  await vault.write("ada", "KEY", "first ☃");
  await vault.write("ada", "A.b-c", "x");
  await vault.write("bob", "KEY", "bob's");
  await vault.write("", "KEY", "nobody's");
  await vault.write("ada", "KEY", "second\nline");
  expect(await vault.read("ada", "KEY")).toBe("second\nline");
  expect(await vault.read("bob", "KEY")).toBe("bob's");
  expect((await open().list("ada")).map(({ name }) => name)).toEqual(["A.b-c", "KEY"]);
  expect(Date.parse((await vault.list("bob"))[0]!.updated)).toBeGreaterThan(Date.now() - 60_000);
  expect(await vault.delete("ada", "KEY")).toBe(true);
  expect(await vault.delete("ada", "KEY")).toBe(false);
  expect(await vault.read("ada", "KEY")).toBeUndefined();
  expect(await vault.read("bob", "KEY")).toBe("bob's");
});

test("more than a page of them is listed", async () => {
  const store = openStore({ path: join(folder, "secrets.db") });
  await open(HEX).write("p", "N0", "value");
  const [{ key, value }] = (await store.list("secrets")) as unknown as [
    { key: string; value: { updated: string } },
  ];
  const names = Array.from({ length: 2500 }, (_, i) => ({
    collection: "secrets",
    key: key.replace("N0", `M${i}`),
  }));
  for (let i = 0; i < names.length; i += 1000) {
    const part = names.slice(i, i + 1000);
    await store.transact(part, () => part.map(() => ({ value })));
  }
  await store.close();
  expect(await open(HEX).list("p")).toHaveLength(2501);
});

describe("what is kept", () => {
  test("has the value nowhere, and only the user can read it", async () => {
    const value = "canary-of-the-vault-0123456789";
    await open().write("me", "KEY", value);
    const forms = [
      value,
      Buffer.from(value).toString("base64").slice(0, -4),
      Buffer.from(value).toString("hex"),
    ];
    const files = readdirSync(folder);
    expect(files).toEqual(expect.arrayContaining(["key", "secrets.db"]));
    for (const file of files) {
      const content = readFileSync(join(folder, file)).toString("latin1");
      for (const form of forms) expect(content).not.toContain(form);
      expect(statSync(join(folder, file)).mode & 0o077).toBe(0);
    }
  });

  test("is another ciphertext each time", async () => {
    const store = openStore({ path: join(folder, "secrets.db") });
    const vault = open();
    const seen = new Set<string>();
    for (let i = 0; i < 5; i++) {
      await vault.write("me", "KEY", "same");
      const [{ key }] = (await store.list("secrets")) as unknown as [{ key: string }];
      seen.add(Buffer.from((await store.get("secrets", key))!.bytes!).toString("hex"));
    }
    expect(seen.size).toBe(5);
    await store.close();
  });

  test.each([
    [
      "a changed byte",
      (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)),
    ],
    ["a changed nonce", (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))],
    ["a missing end", (bytes: Uint8Array) => bytes.slice(0, -1)],
    ["nothing but a nonce", (bytes: Uint8Array) => bytes.slice(0, 12)],
    ["no bytes", () => undefined],
  ])("with %s is an error that names the secret", async (_, damage) => {
    const store = openStore({ path: join(folder, "secrets.db") });
    await open().write("me", "KEY", "value");
    const [{ key, value }] = (await store.list("secrets")) as unknown as [{ key: string; value: null }];
    await store.put("secrets", key, value, { bytes: damage((await store.get("secrets", key))!.bytes!) });
    await store.close();
    await expect(open().read("me", "KEY")).rejects.toMatchObject({
      name: "SecretError",
      code: "damaged",
      message: expect.stringContaining("Cannot read the secret KEY"),
    });
  });

  test("counts under its own name and principal only", async () => {
    const store = openStore({ path: join(folder, "secrets.db") });
    await open().write("me", "KEY", "value");
    await open().write("other", "KEY", "theirs");
    const records = await Promise.all(
      (await store.list("secrets")).map(({ key }) => store.get("secrets", key)),
    );
    const mine = records.find((record) => record?.bytes?.length === "value".length + 28)!;
    const theirs = records.find((record) => record !== mine)!;
    await store.put("secrets", theirs.key, mine.value, { bytes: mine.bytes });
    await store.put("secrets", mine.key.replace("KEY", "OTHER"), mine.value, { bytes: mine.bytes });
    await store.close();
    await expect(open().read("other", "KEY")).rejects.toMatchObject({ code: "damaged" });
    await expect(open().read("me", "OTHER")).rejects.toMatchObject({ code: "damaged" });
    expect(await open().read("me", "KEY")).toBe("value");
  });
});

describe("the key", () => {
  test("can come from the environment, in two spellings; then there is no file", async () => {
    await open(HEX).write("me", "KEY", "value");
    expect(await open(Buffer.from(HEX, "hex").toString("base64")).read("me", "KEY")).toBe("value");
    expect(await open(` ${Buffer.from(HEX, "hex").toString("base64url")}\n`).read("me", "KEY")).toBe("value");
    expect(existsSync(join(folder, "key"))).toBe(false);
    await expect(open(HEX.replace("0", "1")).read("me", "KEY")).rejects.toMatchObject({ code: "damaged" });
    await expect(open().read("me", "KEY")).rejects.toMatchObject({ code: "key" });
  });

  test.each(["x", HEX.slice(1), `${HEX}0`, "ä".repeat(43), HEX.replace("a", "g")])(
    "that is malformed is an error without it: %j",
    async (text) => {
      const error = await open(text)
        .write("me", "KEY", "value")
        .catch((cause) => cause);
      expect(error).toMatchObject({ name: "SecretError", code: "key" });
      expect(error.message).toContain("FUSELET_SECRETS_KEY");
      if (text.length > 1) expect(error.message).not.toContain(text);
      expect(await open().list("me")).toEqual([]);
    },
  );

  test("is made once, by however many at once", async () => {
    const vaults = Array.from({ length: 8 }, () => open());
    await Promise.all(vaults.map((vault, i) => vault.write("me", `KEY${i}`, "value")));
    for (let i = 0; i < 8; i++) expect(await open().read("me", `KEY${i}`)).toBe("value");
    expect(statSync(join(folder, "key")).mode & 0o777).toBe(0o600);
  });

  test("that others may read is not used, nor is one that is damaged; neither is replaced", async () => {
    await open().write("me", "KEY", "value");
    const file = join(folder, "key");
    const key = readFileSync(file);
    chmodSync(file, 0o644);
    for (const work of [() => open().read("me", "KEY"), () => open().write("me", "NEW", "value")])
      await expect(work()).rejects.toMatchObject({
        code: "key",
        message: expect.stringContaining("chmod 600"),
      });
    writeFileSync(file, key.subarray(0, 31));
    chmodSync(file, 0o600);
    for (const work of [() => open().read("me", "KEY"), () => open().write("me", "NEW", "value")])
      await expect(work()).rejects.toMatchObject({
        code: "key",
        message: expect.stringContaining("32 bytes"),
      });
    writeFileSync(file, key);
    expect(await open().read("me", "KEY")).toBe("value");
  });
});

test.each(["", "a b", "a/b", "1a", "a@b", "*", "ä", "a".repeat(129), "a\n", null, 3])(
  "%j is no name",
  async (name) => {
    for (const work of ["read", "delete"] as const)
      await expect(open()[work]("me", name as string)).rejects.toMatchObject({ code: "value" });
    await expect(open().write("me", name as string, "value")).rejects.toMatchObject({ code: "value" });
  },
);

test("values are text of bounded size", async () => {
  const vault = open();
  for (const value of ["", "x".repeat(65_537), "\ud800"])
    await expect(vault.write("me", "KEY", value)).rejects.toMatchObject({ code: "value" });
  await vault.write("me", "KEY", "é".repeat(32_768));
  expect(await vault.read("me", "KEY")).toHaveLength(32_768);
});

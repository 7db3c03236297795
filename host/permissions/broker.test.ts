import { describe, expect, test } from "vitest";
import { PermissionDeniedError } from "../../runtime/errors.ts";
import { createBroker, type Decision } from "./broker.ts";
import type { PermissionName, Permissions } from "./descriptor.ts";

const ask = (
  permissions: Permissions,
  permission: PermissionName,
  value: string,
  most: Permissions = permissions,
) =>
  createBroker({ permissions: most }).require(permission, value, {
    principal: "me",
    udf: "hello",
    permissions,
  });

const refusal = (...question: Parameters<typeof ask>): Promise<PermissionDeniedError> =>
  ask(...question).then(
    () => Promise.reject(new Error("it was granted")),
    (error) => error,
  );

describe("broker.require()", () => {
  test("grants nothing by default and says which flag would", async () => {
    const error = await refusal({}, "net", "Example.org:443");
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error.message).toBe(
      'Requires net access to "example.org:443": run again with --allow-net=example.org:443',
    );
    expect(error).toMatchObject({
      permission: "net",
      value: "example.org:443",
      grant: "--allow-net=example.org:443",
    });
    expect((await refusal({}, "cache", "")).message).toBe(
      "Requires cache access: run again with --allow-cache",
    );
    expect((await refusal({}, "read", "/a b,c")).grant).toBe("'--allow-read=/a b,,c'");
    expect((await refusal({}, "net", "[::1]:80")).grant).toBe("'--allow-net=[::1]:80'");
  });
  test("gives the canonical value to use", async () => {
    expect((await ask({ net: true }, "net", "0x7f.1:80")).value).toBe("127.0.0.1:80");
    expect((await ask({ read: ["/a"] }, "read", "file:///a/b/")).value).toBe("/a/b");
    expect((await ask({ native: true }, "native", "")).value).toBe("");
  });
  test("lets deny beat allow, wherever either stands", async () => {
    const denied = { net: true, deny: { net: ["*.example.org"] } };
    expect((await refusal(denied, "net", "a.example.org:443")).message).toBe(
      "Requires net access to \"a.example.org:443\", which is denied: run again without '--deny-net=*.example.org'",
    );
    expect((await ask(denied, "net", "example.org:443")).value).toBe("example.org:443");
    await refusal({ net: true }, "net", "a.example.org:443", denied);
    expect((await refusal({ net: true, deny: { net: true } }, "net", "a:1")).message).toContain(
      "without --deny-net",
    );
  });
  test("never gives a caller more than the broker's own", async () => {
    expect((await refusal({ net: true }, "net", "a.org:443", { net: ["b.org"] })).value).toBe("a.org:443");
    expect((await ask({ net: true }, "net", "b.org:443", { net: ["b.org"] })).value).toBe("b.org:443");
    await refusal({ net: ["a.org"] }, "net", "b.org:443", { net: true });
  });
  test("refuses unsafe values under any grant", async () => {
    const all = { net: true, read: true, import: true, cache: true } as const;
    for (const value of ["", "a b", "http://a", "a@b:1", "::1"]) {
      expect((await refusal(all, "net", value)).message).toContain("which is not a host that can be granted");
    }
    for (const value of ["", "../a", "a/%2e%2e/b"]) await refusal(all, "read", value);
    expect((await refusal(all, "net", "a\u202eb")).message).toContain('"a\\u202eb"');
    expect((await refusal(all, "cache", "x")).message).toContain("takes no value");
    await refusal(all, "net", undefined as unknown as string);
  });
  test("says how a secret may be used", async () => {
    const some: Permissions = {
      secrets: ["*", { name: "K", hosts: ["*.a.org"], reveal: true }, { name: "K", hosts: ["b.org"] }],
    };
    expect(await ask(some, "secrets", "K")).toMatchObject({ hosts: ["*.a.org", "b.org"], reveal: true });
    expect(await ask(some, "secrets", "OTHER")).toMatchObject({ hosts: true, reveal: false });
    expect(await ask({ secrets: true }, "secrets", "K", some)).toMatchObject({
      hosts: ["*.a.org", "b.org"],
      reveal: false,
    });
    await refusal({ ...some, deny: { secrets: ["k"] } }, "secrets", "K");
  });
  test("reports each decision before it takes effect", async () => {
    const decisions: Decision[] = [];
    const caller = { principal: "me", udf: "hello", permissions: { net: ["a.org"] } };
    const broker = createBroker({
      permissions: { net: true },
      onDecision: (decision) => decisions.push(decision),
    });
    await broker.require("net", "a.org:443", caller);
    await expect(broker.require("net", "b.org:443", caller)).rejects.toThrow();
    broker.query("net", "c.org:443", caller);
    expect(decisions).toEqual([
      {
        permission: "net",
        value: "a.org:443",
        allowed: true,
        rule: "a.org",
        reason: "allowed",
        principal: "me",
        udf: "hello",
      },
      {
        permission: "net",
        value: "b.org:443",
        allowed: false,
        rule: null,
        reason: "not granted",
        principal: "me",
        udf: "hello",
      },
    ]);
    const strict = createBroker({
      permissions: { net: true },
      onDecision: () => {
        throw new Error("the log is full");
      },
    });
    await expect(strict.require("net", "a.org:443", caller)).rejects.toThrow("the log is full");
  });
});

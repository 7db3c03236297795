import { describe, expect, test } from "vitest";
import { PermissionDeniedError } from "../../runtime/errors.ts";
import { type Answer, type Caller, createBroker, type Decision, type Ungranted } from "./broker.ts";
import type { PermissionName, Permissions } from "./descriptor.ts";

const callerWith = (permissions: Permissions): Caller => ({
  principal: "me",
  udf: { name: "hello", hash: "abc" },
  runId: "run-1",
  permissions,
});

const ask = (
  permissions: Permissions,
  permission: PermissionName,
  value: string,
  most: Permissions = permissions,
) => createBroker({ permissions: most }).require(permission, value, callerWith(permissions));

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
  test("decides where a secret may be sent", async () => {
    const some: Permissions = {
      secrets: ["ANY", { name: "K", hosts: ["*.a.org", "b.org:8443"] }, { name: "NONE", hosts: [] }],
    };
    for (const value of ["K@x.a.org:443", "K@b.org:8443", "ANY@c.org:443", "K@B.org.:8443"])
      expect(await ask(some, "secrets", value)).toMatchObject({ permission: "secrets" });
    expect(await refusal(some, "secrets", "K@b.org:443")).toMatchObject({
      message: 'Requires secrets access to "K@b.org:443": run again with --allow-secrets=K@b.org:443',
      value: "K@b.org:443",
      grant: "--allow-secrets=K@b.org:443",
    });
    await refusal(some, "secrets", "NONE@b.org:443");
    await refusal(some, "secrets", "OTHER@b.org:443");
    await refusal({ secrets: true, deny: { secrets: ["k"] } }, "secrets", "K@b.org:443");
    // Each descriptor must allow it.
    await refusal({ secrets: true }, "secrets", "K@c.org:443", some);
    for (const value of ["K@", "@b.org:443", "K@b.org:443@c.org:443", "K@http://b.org"])
      expect((await refusal(some, "secrets", value)).message).toContain(
        "which is not a secret that can be granted",
      );
  });
  test("shows and logs nothing of what a run must not show", async () => {
    const decisions: Decision[] = [];
    const broker = createBroker({ onDecision: (decision) => decisions.push(decision) });
    const caller = { ...callerWith({}), redact: (text: string) => text.replaceAll("value", "[secret]") };
    const error = await broker.require("net", "value.a.org:443", caller).catch((cause) => cause);
    expect(error.message).toContain('"[secret].a.org:443"');
    expect(JSON.stringify([error, decisions])).not.toContain("value.a.org");
    expect(decisions[0]?.value).toBe("[secret].a.org:443");
  });
  test("reports each decision before it takes effect", async () => {
    const decisions: Decision[] = [];
    const caller = callerWith({ net: ["a.org"] });
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
        how: "rule",
        principal: "me",
        udf: { name: "hello", hash: "abc" },
        runId: "run-1",
      },
      {
        permission: "net",
        value: "b.org:443",
        allowed: false,
        rule: null,
        reason: "not granted",
        how: "rule",
        principal: "me",
        udf: { name: "hello", hash: "abc" },
        runId: "run-1",
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

describe("createBroker({ onUngranted })", () => {
  const broker = (answer: Answer, permissions: Permissions = {}) => {
    const asked: Ungranted[] = [];
    const decisions: Decision[] = [];
    const { require: demand } = createBroker({
      permissions,
      onUngranted: async (request) => {
        asked.push(request);
        return answer;
      },
      onDecision: (decision) => decisions.push(decision),
    });
    return { demand, asked, decisions };
  };
  const yes: Answer = { allowed: true, how: "prompt once" };

  test("is asked with the canonical value and decides, which is reported with how", async () => {
    const { demand, asked, decisions } = broker(yes);
    const caller = callerWith({});
    expect((await demand("net", "Example.org:443", caller)).value).toBe("example.org:443");
    expect(asked).toEqual([{ permission: "net", value: "example.org:443", caller }]);
    expect(decisions).toMatchObject([{ allowed: true, rule: null, reason: "allowed", how: "prompt once" }]);
    expect((await demand("cache", "", caller)).permission).toBe("cache");
  });
  test("may refuse: the message says so", async () => {
    const { demand, decisions } = broker({ allowed: false, how: "prompt deny" });
    await expect(demand("net", "a.org:443", callerWith({}))).rejects.toThrow(
      'Requires net access to "a.org:443", which was refused: --allow-net=a.org:443 allows it',
    );
    expect(decisions).toMatchObject([{ allowed: false, reason: "not granted", how: "prompt deny" }]);
  });
  test("is not asked about what a rule allows or denies, nor about unsafe values", async () => {
    const { demand, asked } = broker(yes, { net: ["a.org"], deny: { net: ["b.org"], cache: true } });
    const caller = callerWith({ net: ["a.org"], deny: { read: true } });
    await demand("net", "a.org:443", caller);
    for (const [permission, value] of [
      ["net", "b.org:443"],
      ["net", "a\u202eb.org"],
      ["net", ""],
      ["cache", ""],
      ["cache", "x"],
      ["read", "/a"],
      ["write", "../a"],
    ] as const) {
      await expect(demand(permission, value, caller)).rejects.toThrow(PermissionDeniedError);
    }
    expect(asked).toEqual([]);
  });
  test("never reveals a secret, and keeps to the hosts of every rule", async () => {
    const secret = broker(yes);
    expect(await secret.demand("secrets", "K", callerWith({}))).toMatchObject({
      hosts: true,
      reveal: false,
    });
    const narrow = broker(
      { ...yes, hosts: ["b.a.org", "c.org"] },
      {
        secrets: [{ name: "K", hosts: ["*.a.org"], reveal: true }],
      },
    );
    expect(await narrow.demand("secrets", "K", callerWith({}))).toMatchObject({
      hosts: ["b.a.org"],
      reveal: false,
    });
  });
  test("grants nothing when it throws, or when the decision cannot be reported", async () => {
    const { require: demand } = createBroker({ onUngranted: () => Promise.reject(new Error("no terminal")) });
    await expect(demand("net", "a.org:443", callerWith({}))).rejects.toThrow("no terminal");
    const strict = createBroker({
      onUngranted: async () => yes,
      onDecision: () => {
        throw new Error("the log is full");
      },
    });
    await expect(strict.require("net", "a.org:443", callerWith({}))).rejects.toThrow("the log is full");
  });
  test("stops the run's clock while it is asked, and starts it again however it ends", async () => {
    const clock: string[] = [];
    const caller = {
      ...callerWith({ net: ["a.org"] }),
      pause: () => {
        clock.push("stop");
        return () => clock.push("go");
      },
    };
    const { require: demand } = createBroker({
      permissions: { net: true },
      onUngranted: async ({ value }) => {
        clock.push(value);
        if (value === "c.org") throw new Error("no terminal");
        return yes;
      },
    });
    await demand("net", "a.org", caller);
    await demand("net", "b.org", caller);
    await expect(demand("net", "c.org", caller)).rejects.toThrow();
    expect(clock).toEqual(["stop", "b.org", "go", "stop", "c.org", "go"]);
  });
});

describe("broker.requireUndenied()", () => {
  test("refuses only what a rule denies, asks nobody, and is reported", () => {
    const decisions: Decision[] = [];
    const onUngranted = () => Promise.reject(new Error("nobody is asked"));
    const ask = (permissions: Permissions, value = "hello") =>
      createBroker({ onUngranted, onDecision: (decision) => decisions.push(decision) }).requireUndenied(
        "run",
        value,
        callerWith(permissions),
      );
    ask({});
    ask({ deny: { run: ["other"] } });
    ask({ deny: { run: ["other"] } }, 'no "name"');
    expect(() => ask({ run: true, deny: { run: true } })).toThrow(
      'Requires run access to "hello", which is denied: run again without --deny-run',
    );
    expect(() => ask({ deny: { run: ["hello"] } })).toThrow(PermissionDeniedError);
    expect(() => ask({ deny: { run: true } }, 'no "name"')).toThrow(PermissionDeniedError);
    expect(decisions.map(({ allowed, reason }) => [allowed, reason])).toEqual([
      [true, "allowed"],
      [true, "allowed"],
      [true, "allowed"],
      [false, "denied"],
      [false, "denied"],
      [false, "denied"],
    ]);
  });
});

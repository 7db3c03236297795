import { describe, expect, test } from "vitest";
import { type Caller, createBroker, type Decision } from "./broker.ts";
import type { Permissions } from "./descriptor.ts";
import type { SavedGrant } from "./grants.ts";
import { type Choice, createPrompt, type Question } from "./prompt.ts";
import { readRequest } from "./request.ts";

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

interface Setup {
  /** Answers in turn; without them, each question stays open until `answer` is called. */
  choices?: Choice[];
  permissions?: Permissions;
  saved?: SavedGrant[];
  broken?: boolean;
  nobody?: boolean;
}

/** A broker with a prompt on a prompter that a test holds in its hands. */
function setUp({ choices, permissions = {}, saved = [], broken = false, nobody = false }: Setup = {}) {
  const questions: Question[] = [];
  const decisions: Decision[] = [];
  const notices: string[] = [];
  const open: ((choice: Choice) => void)[] = [];
  const fail = () => Promise.reject(new Error("the disk is full"));
  const prompt = createPrompt({
    prompter: nobody
      ? undefined
      : (question, signal) => {
          questions.push(question);
          const choice = choices?.shift();
          if (choice) return Promise.resolve(choice);
          return new Promise((resolve) => {
            open.push(resolve);
            signal?.addEventListener("abort", () => resolve("deny"));
          });
        },
    grants: broken
      ? { list: fail, add: fail }
      : {
          list: async () => [...saved],
          add: async (grants) => {
            saved.push(...grants);
          },
        },
    onNotice: (message) => notices.push(message),
  });
  const broker = createBroker({
    permissions,
    onUngranted: prompt.onUngranted,
    onDecision: (decision) => decisions.push(decision),
  });
  const run = new AbortController();
  const caller: Caller = {
    principal: "me",
    udf: { name: "hello", hash: "abc" },
    runId: "run-1",
    permissions,
    signal: run.signal,
  };
  const demand = (value: string, other: Partial<Caller> = {}) =>
    broker.require("net", value, { ...caller, ...other }).then(
      () => true,
      () => false,
    );
  const answer = (choice: Choice) => open.shift()?.(choice);
  const declare = (declared: Record<string, unknown>, rules: Permissions = permissions) =>
    prompt.askDeclared({
      principal: "me",
      udf: caller.udf,
      request: readRequest(declared, "hello.py"),
      permissions: rules,
    });
  return { prompt, broker, caller, run, demand, answer, declare, questions, decisions, notices, saved };
}

const hows = (decisions: Decision[]) => decisions.map(({ how }) => how);
const values = (questions: Question[]) =>
  questions.map(({ items }) => items.map(({ granted }) => granted.value ?? granted.rule).join(" "));

describe("an answer", () => {
  test("once is good for this request alone", async () => {
    const { demand, questions, decisions } = setUp({ choices: ["once", "once"] });
    expect([await demand("a.org:443"), await demand("a.org:443")]).toEqual([true, true]);
    expect(questions).toEqual([
      {
        udf: { name: "hello", hash: "abc" },
        kind: "request",
        items: [{ granted: { permission: "net", value: "a.org:443" }, reason: null }],
      },
      expect.anything(),
    ]);
    expect(hows(decisions)).toEqual(["prompt once", "prompt once"]);
  });
  test("run is good for this value until the run ends, and for no other run, UDF or principal", async () => {
    const { demand, questions, decisions, run } = setUp({ choices: ["run", "deny", "deny", "deny", "deny"] });
    expect([await demand("a.org:443"), await demand("a.org:443")]).toEqual([true, true]);
    expect(hows(decisions)).toEqual(["prompt run", "prompt run"]);
    expect(await demand("b.a.org:443")).toBe(false);
    expect(await demand("a.org:80")).toBe(false);
    expect(await demand("a.org:443", { runId: "run-2" })).toBe(false);
    expect(values(questions)).toEqual(["a.org:443", "b.a.org:443", "a.org:80", "a.org:443"]);
    run.abort();
    expect(await demand("a.org:443", { signal: new AbortController().signal })).toBe(false);
    expect(questions).toHaveLength(5);
  });
  test("always is saved with principal and code, and asks no more for them", async () => {
    const { demand, saved, decisions } = setUp({ choices: ["always"] });
    expect([await demand("a.org:443"), await demand("a.org:443", { runId: "run-2" })]).toEqual([true, true]);
    expect(hows(decisions)).toEqual(["prompt always", "saved grant"]);
    expect(saved).toEqual([
      {
        principal: "me",
        udf: { name: "hello", hash: "abc" },
        permission: "net",
        value: "a.org:443",
        date: expect.stringMatching(/Z$/),
      },
    ]);
    const later = setUp({ saved, choices: ["deny", "deny", "deny"] });
    expect(await later.demand("a.org:443")).toBe(true);
    expect(await later.demand("a.org:443", { udf: { name: "hello", hash: "changed" } })).toBe(false);
    expect(await later.demand("a.org:443", { principal: "you", runId: "run-3" })).toBe(false);
    expect(await later.demand("a.org:80")).toBe(false);
    expect(later.questions).toHaveLength(3);
  });
  test("deny is remembered until the run ends", async () => {
    const { demand, questions, decisions } = setUp({ choices: ["deny", "deny"] });
    expect([await demand("a.org:443"), await demand("a.org:443")]).toEqual([false, false]);
    expect(hows(decisions)).toEqual(["prompt deny", "prompt deny"]);
    expect(questions).toHaveLength(1);
    expect(await demand("b.org:443")).toBe(false);
    expect(questions).toHaveLength(2);
  });
  test("for a path covers nothing below it", async () => {
    const { broker, caller, questions } = setUp({ choices: ["always", "deny"] });
    await broker.require("read", "/data", caller);
    await expect(broker.require("read", "/data/secret", caller)).rejects.toThrow("was refused");
    expect(questions).toHaveLength(2);
  });
  test("that cannot be saved is good for the run, and that is said", async () => {
    const { demand, notices, decisions } = setUp({ choices: ["always", "deny"], broken: true });
    expect([await demand("a.org:443"), await demand("a.org:443")]).toEqual([true, true]);
    expect(hows(decisions)).toEqual(["prompt run", "prompt run"]);
    expect(notices).toEqual(["the disk is full", "the disk is full. It is allowed for this run"]);
    expect(await demand("a.org:443", { runId: "run-2" })).toBe(false);
  });
});

describe("questions", () => {
  test("for one value are one while it is open; for others they come one after another", async () => {
    const { demand, answer, questions } = setUp();
    const all = [demand("a.org:443"), demand("A.org:443"), demand("b.org:443"), demand("a.org:443")];
    await settle();
    expect(values(questions)).toEqual(["a.org:443"]);
    answer("once");
    await settle();
    expect(values(questions)).toEqual(["a.org:443", "b.org:443"]);
    answer("deny");
    expect(await Promise.all(all)).toEqual([true, true, false, true]);
    void demand("a.org:443");
    await settle();
    expect(questions).toHaveLength(3);
  });
  test("that an answer has settled meanwhile are not asked", async () => {
    const { demand, answer, questions } = setUp();
    const one = demand("a.org:443");
    const two = demand("a.org:443", { runId: "run-2" });
    await settle();
    answer("always");
    expect([await one, await two]).toEqual([true, true]);
    expect(questions).toHaveLength(1);
  });
  test("end with their run, and those that wait are not asked", async () => {
    const { demand, run, questions } = setUp();
    const both = [demand("a.org:443"), demand("b.org:443")];
    await settle();
    run.abort();
    expect(await Promise.all(both)).toEqual([false, false]);
    expect(questions).toHaveLength(1);
  });
  test("go on after a prompter that failed", async () => {
    const { caller } = setUp();
    let first = true;
    const failing = createPrompt({
      prompter: async () => {
        if (!first) return "once";
        first = false;
        throw new Error("the terminal is gone");
      },
      grants: { list: async () => [], add: async () => {} },
      onNotice: () => {},
    });
    const request = { permission: "net", value: "a.org", caller } as const;
    await expect(failing.onUngranted(request)).rejects.toThrow("the terminal is gone");
    expect(await failing.onUngranted(request)).toEqual({ allowed: true, how: "prompt once" });
  });
  test("are not asked where nobody is there: saved grants count", async () => {
    const grant = { principal: "me", udf: { name: "hello", hash: "abc" }, date: "now" };
    const saved: SavedGrant[] = [{ ...grant, permission: "net", value: "a.org:443" }];
    const { demand, decisions, questions, declare } = setUp({ saved, nobody: true });
    await declare({ net: ["c.org"] });
    expect([await demand("a.org:443"), await demand("b.org:443")]).toEqual([true, false]);
    expect(decisions).toMatchObject([
      { how: "saved grant", allowed: true },
      { how: "rule", reason: "not granted" },
    ]);
    expect(questions).toEqual([]);
  });
  test("and saved grants give way to deny rules", async () => {
    const grant = { principal: "me", udf: { name: "hello", hash: "abc" }, date: "now" };
    const saved: SavedGrant[] = [{ ...grant, permission: "net", rule: "*.a.org" }];
    const { demand, questions } = setUp({ saved, permissions: { deny: { net: ["b.a.org"] } }, choices: [] });
    expect([await demand("c.a.org:443"), await demand("b.a.org:443")]).toEqual([true, false]);
    expect(questions).toEqual([]);
  });
});

describe("askDeclared()", () => {
  const declared = {
    net: ["api.a.org", "*.b.org"],
    read: ["/data"],
    secrets: ["KEY", { name: "TOKEN", hosts: ["api.a.org"], reveal: true }],
    cache: true,
    reason: { net: "to fetch the forecast" },
  };
  test("asks for all in one question, with the UDF's reasons", async () => {
    const { declare, questions } = setUp({ choices: ["deny"] });
    await declare(declared);
    expect(questions).toMatchObject([{ kind: "declaration", udf: { name: "hello" } }]);
    expect(questions[0]?.items).toEqual([
      { granted: { permission: "net", rule: "api.a.org" }, reason: "to fetch the forecast" },
      { granted: { permission: "net", rule: "*.b.org" }, reason: "to fetch the forecast" },
      { granted: { permission: "read", rule: "/data" }, reason: null },
      { granted: { permission: "secrets", value: "KEY" }, reason: null },
      { granted: { permission: "secrets", value: "TOKEN", hosts: ["api.a.org"] }, reason: null },
      { granted: { permission: "cache", value: "" }, reason: null },
    ]);
  });
  test("run: what was shown is allowed, and no more", async () => {
    const { declare, demand, broker, caller, decisions, questions } = setUp({ choices: ["run", "deny"] });
    await declare(declared);
    expect([await demand("api.a.org:443"), await demand("x.b.org:443")]).toEqual([true, true]);
    await broker.require("read", "/data/x", caller);
    await broker.require("cache", "", caller);
    expect(await broker.require("secrets", "TOKEN", caller)).toMatchObject({
      hosts: ["api.a.org"],
      reveal: false,
    });
    expect(new Set(hows(decisions))).toEqual(new Set(["prompt run"]));
    expect(await demand("b.org:443")).toBe(false);
    expect(values(questions)[1]).toBe("b.org:443");
  });
  test("always: it is saved, and the next time nothing is left to ask", async () => {
    const { declare, saved, demand } = setUp({ choices: ["always"] });
    await declare(declared);
    expect(saved).toHaveLength(6);
    expect(await demand("x.b.org:443")).toBe(true);
    const later = setUp({ saved, choices: ["run"] });
    await later.declare(declared);
    expect(later.questions).toEqual([]);
    await later.declare({ ...declared, net: ["c.org"] });
    expect(values(later.questions)).toEqual(["c.org"]);
  });
  test("deny: each is asked for when it is used, with its reason", async () => {
    const { declare, demand, questions } = setUp({ choices: ["deny", "once"] });
    await declare(declared);
    expect(await demand("api.a.org:443")).toBe(true);
    expect(questions[1]).toMatchObject({
      kind: "request",
      items: [{ granted: { permission: "net", value: "api.a.org:443" }, reason: "to fetch the forecast" }],
    });
  });
  test("leaves out what rules allow or deny", async () => {
    const permissions = { net: ["*.a.org"], cache: true, deny: { read: ["/"], secrets: true } };
    const { declare, questions } = setUp({ choices: ["deny"], permissions });
    await declare(declared);
    expect(values(questions)).toEqual(["*.b.org"]);
    const all = setUp({ permissions: { net: true, deny: { read: true, secrets: true, cache: true } } });
    await all.declare(declared);
    expect(all.questions).toEqual([]);
  });
  test("never gets past a deny rule, whatever was answered", async () => {
    const { declare, demand } = setUp({ choices: ["run"], permissions: { deny: { net: ["x.b.org"] } } });
    await declare(declared);
    expect([await demand("x.b.org:443"), await demand("y.b.org:443")]).toEqual([false, true]);
  });
  test("does not ask for all of a kind, for native and for remote: these are asked for alone", async () => {
    const { declare, questions } = setUp();
    await declare({ net: true, secrets: ["*"], run: true, native: true, remote: ["m5.large"] });
    expect(questions).toEqual([]);
  });
  test("does not ask for more than a person can judge", async () => {
    const { declare, questions, notices } = setUp();
    await declare({ net: Array.from({ length: 21 }, (_, index) => `h${index}.org`) });
    expect(questions).toEqual([]);
    expect(notices).toEqual(["hello declares 21 permissions: each is asked for when it is used"]);
  });
});

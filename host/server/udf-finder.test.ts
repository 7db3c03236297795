import { expect, test } from "vitest";
import { UdfLoadError, UdfRuntimeError } from "../../runtime/errors.ts";
import { withoutCode } from "../udfs/without-code.ts";
import { userOf } from "./fixtures/store.ts";
import type { SavedUdf, ServerParts } from "./parts.ts";
import { udfFinder } from "./udf-finder.ts";

const [ada, mate, bob] = [userOf("ada"), userOf("mate"), userOf("bob", { team: "other" })];
const udf = { ownerId: "ada", kind: "udf", slug: "f" } as SavedUdf;

/** What a link means to somebody. @param publicRead of the link */
const find = (user: string, publicRead: boolean) =>
  udfFinder({
    users: { active: async (id: string) => [ada, mate, bob].find((one) => one.id === id) ?? null },
    registry: {
      canRead: ({ team }: typeof ada) => team === ada.team,
      sourceOf: () => ({ name: "f", code: "secret" }),
    },
    sharedTokens: { open: async () => ({ udf, shared: { publicRead, collection: null }, owner: ada }) },
  } as unknown as ServerParts)("fsh_0123456789abcdef", { principal: user, owner: user });

test("what a UDF runs by a link is hidden from whoever may not read it", async () => {
  expect(await find("ada", false)).toMatchObject({ isHidden: false });
  expect(await find("mate", false)).toMatchObject({ isHidden: false });
  expect(await find("bob", false)).toMatchObject({ isHidden: true });
  expect(await find("bob", true)).toMatchObject({ isHidden: false });
});

test("a name is looked for in the collection of the UDF that runs it, then where all names are", async () => {
  const asked: unknown[] = [];
  const find = udfFinder({
    users: { active: async () => ada },
    registry: {
      find: async (_user: unknown, name: string, collection?: string) => {
        asked.push(collection);
        return name === (collection ?? "plain") ? udf : null;
      },
      sourceOf: () => ({ name: "f" }),
    },
  } as unknown as ServerParts);
  const by = { principal: "ada", owner: "ada" };
  expect(await find("maps", { ...by, collection: "maps" })).toMatchObject({ name: "f" });
  expect(await find("plain", { ...by, collection: "maps" })).toMatchObject({ name: "f" });
  expect(await find("maps", by)).toBe(null);
  expect(asked).toEqual(["maps", "maps", undefined, undefined]);
});

test("a failure without code has neither its lines nor where a text of it is wrong", () => {
  const traceback = 'File "f", line 2\n    secret = 1 / 0\nZeroDivisionError: division by zero';
  const raised = new UdfRuntimeError("ZeroDivisionError: division by zero", {
    type: "ZeroDivisionError",
    traceback,
  });
  const told = withoutCode(Object.assign(raised, { stdout: "out", stderr: "" })) as UdfRuntimeError;
  expect(told).toMatchObject({
    type: "ZeroDivisionError",
    traceback: "ZeroDivisionError: division by zero\n",
    stdout: "out",
  });
  expect((withoutCode(new UdfLoadError("bad syntax\n    secret =")) as Error).message).toBe("bad syntax");
});

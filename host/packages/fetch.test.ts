import { expect, test } from "vitest";
import type { Guard } from "../net/guard.ts";
import type { Header, NetRequest } from "../net/request.ts";
import { documentFetch } from "./fetch.ts";
import { checkPackageOptions } from "./packages.ts";

/** Fetches a document; each request is answered with the next of these. @returns what was requested, with its header */
async function requests(index: string, url: string, answers: { status: number; location?: string }[]) {
  const seen: [url: string, authorization: string | undefined][] = [];
  const guard = {
    async fetch({ url: asked, headers }: NetRequest) {
      seen.push([asked.href, headers.find(([name]) => name === "authorization")?.[1]]);
      const { status, location } = answers[seen.length - 1] as (typeof answers)[0];
      const answered: Header[] = location === undefined ? [] : [["location", location]];
      const next = async () => null;
      return { status, headers: answered, body: { close() {}, next, isDone: false } };
    },
  } as unknown as Guard;
  const { signal } = new AbortController();
  const fetch = documentFetch(async () => guard, { closing: signal, timeoutMs: 1000 });
  const { index: home } = await checkPackageOptions({ index });
  if (!home) throw new Error("there is no index");
  const caller = { principal: "p", udf: { name: "u", hash: "h" }, permissions: {}, isNested: false };
  const request = { url: new URL(url), home, accept: "*/*", mostBytes: 10, what: "it" };
  const error = await fetch(request, caller).then(
    () => "",
    (cause: Error) => cause.message,
  );
  return { seen, error };
}

const INDEX = "https://user:pass-word@index.example/simple";
const BASIC = `Basic ${btoa("user:pass-word")}`;

test("a user name and a password are sent to the origin of their index, and not along with a redirect", async () => {
  const { seen } = await requests(INDEX, "https://index.example/simple/a/", [
    { status: 302, location: "/simple/b/" },
    { status: 302, location: "https://index.example:8443/simple/b/" },
    { status: 302, location: "https://files.example/a.whl" },
    { status: 302, location: "https://index.example/files/a.whl" },
    { status: 404 },
  ]);
  expect(seen).toEqual([
    ["https://index.example/simple/a/", BASIC],
    ["https://index.example/simple/b/", BASIC],
    ["https://index.example:8443/simple/b/", undefined],
    ["https://files.example/a.whl", undefined],
    ["https://index.example/files/a.whl", BASIC],
  ]);
  const link = await requests(INDEX, "https://files.example/a.whl", [{ status: 404 }]);
  expect(link.seen).toEqual([["https://files.example/a.whl", undefined]]);
});

test("a link that has a user name itself is not followed, and no message shows one", async () => {
  for (const url of ["https://a:b-word@files.example/x", "https://a:b-word@index.example/x"]) {
    const { seen, error } = await requests(INDEX, url, []);
    expect(seen).toEqual([]);
    expect(error).toMatch(
      /^Cannot fetch it from https:\/\/index\.example\/simple\/: it leads to a URL of "\w+\.example" with a user name/,
    );
    expect(error).not.toMatch(/b-word/);
  }
  const redirect = [{ status: 302, location: "https://a:b-word@files.example/x" }];
  const { seen, error } = await requests(INDEX, "https://index.example/simple/a/", redirect);
  expect(seen).toHaveLength(1);
  expect(error).toMatch(/with a user name or password/);
  expect(error).not.toMatch(/-word/);
});

test("a place that refuses says what may help, and one elsewhere does not", async () => {
  const refused = [{ status: 401 }];
  const at = "https://index.example/simple/a/";
  expect((await requests(INDEX, at, refused)).error).toMatch(/401: it does not take the user name/);
  expect((await requests("https://index.example/simple", at, refused)).error).toMatch(
    /401: it may want a user/,
  );
  expect((await requests(INDEX, "https://files.example/a", refused)).error).toMatch(/status 401$/);
});

test.each([
  ["http://user:pass-word@index.example/simple", /an https URL, or one of this machine/],
  ["https://user:pass-word@index.example/simple?x", /without query and fragment/],
  ["https://us%ff:pass-word@index.example/simple", /percent-encoded UTF-8/],
  ["ftp://user:pass-word@index.example/simple", /an http or https URL/],
  ["https://user:pass/word@index.example/simple", /an http or https URL/],
])("%s is refused without showing what is in it", async (index, rule) => {
  const { message } = await checkPackageOptions({ index }).then(
    () => ({ message: "" }),
    (error: Error) => error,
  );
  expect(message).toMatch(rule);
  expect(message).not.toMatch(/pass.word|user:/);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { here, TestEngine } from "./testing.node.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await TestEngine.open();
});
afterAll(() => engine.engine.putBack());

/** The same expression here, where the URL standard is implemented in full, and in a UDF. */
async function same(expression: string): Promise<void> {
  const { value, error } = await engine.run(`export default () => ${expression}`);
  expect(error).toBe(undefined);
  expect(value).toEqual(here(expression));
}

const URLS: [url: string, base?: string][] = [
  ["HTTP://ExAmple.com:80/a/../b/./c?x=1#y"],
  ["https://u:p@ex.com:8443/%7Efoo/é 😀?q=é&r='#f g"],
  ["//x.com/p", "https://a.com/b"],
  ["/p?q", "https://a.com/b/c"],
  ["p/q", "https://a.com/b/c?d#e"],
  ["?z", "https://a.com/b/c?d#e"],
  ["#z", "https://a.com/b/c?d#e"],
  ["", "https://a.com/b/c?d#e"],
  ["../../../x", "https://a.com/b/c/d"],
  ["mailto:a@b.c"],
  ["data:text/plain,hi there#x"],
  ["file:///etc/passwd"],
  ["file://localhost/x"],
  ["file:x", "file:///a/b"],
  ["http://[::1]:80/"],
  ["http://[2001:db8:0:0:1:0:0:1]/"],
  ["http://[::ffff:1.2.3.4]/"],
  ["http://0x7f.1/"],
  ["http://2130706433"],
  ["http://017700000001"],
  ["http://256.1.1.1"],
  ["http://a b.com"],
  ["http://"],
  ["http:///x"],
  ["foo://host/p/../q"],
  ["foo:bar"],
  ["foo:/bar/../baz"],
  ["https:x", "https://a.com/b/"],
  ["http://a.com:99999"],
  ["http://a.com:0"],
  ["http://a.com\\b\\..\\c"],
  ["  http://a.com/\tx\n "],
  ["http://a.com/%2e%2E/x"],
  ["nope"],
  ["http://user@/x"],
  ["http://@h/x"],
  ["javascript:alert(1)"],
  ["http://%41.com"],
  ["http://a%00b"],
  ['http://x/{}|`^"<>'],
  ["foo://h?x"],
  ["x://a:80/"],
  ["http://a.com/?q#"],
  ["/x", "foo:bar"],
  ["wss://h:443/a"],
  ["http://[::1"],
  ["http://[1::2::3]"],
  ["http://[1:0:0:2:0:0:0:3]"],
  ["http://h/a//b"],
  ["//h2//x", "http://h"],
  ["http:/a", "http://h/x/y"],
  ["foo:////x"],
  ["?", "http://h/x?y"],
];

test.each(URLS)("URL reads %o against %o as the standard does", async (url, base) => {
  const args = base === undefined ? JSON.stringify(url) : `${JSON.stringify(url)}, ${JSON.stringify(base)}`;
  await same(
    `(() => { try { const u = new URL(${args}); return [u.href, u.origin, u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash, [...u.searchParams]] } catch (e) { return e.name } })()`,
  );
});

test("URL's setters and its searchParams change it", async () => {
  await same(`(() => {
    const u = new URL("https://a.com/x?a=1&b=2&a=3"), seen = [];
    u.searchParams.append("c", "é &="); u.searchParams.delete("b"); u.searchParams.set("a", "9"); u.searchParams.sort(); seen.push(u.href);
    u.search = "?z=1 2"; seen.push(u.href, u.searchParams.get("z"));
    u.pathname = "a b/../c"; u.hash = "q q"; u.port = "8080"; u.hostname = "B.com"; u.host = "c.com:443"; u.username = "x y"; seen.push(u.href);
    u.port = ""; u.search = ""; u.hash = ""; seen.push(u.href); u.href = "http://q/?r=1"; seen.push(u.href, u.searchParams.get("r"), JSON.stringify(u), URL.canParse("x"));
    return seen;
  })()`);
});

test("URLSearchParams reads and writes forms", async () => {
  await same(`[
    new URLSearchParams("?a=1&b=%F0%9F%98%80+x&c&=d&&e=f=g").toString(), new URLSearchParams({ a: 1, b: "*-._~!'()" }).toString(),
    new URLSearchParams([["a", "b"], ["a", "c"]]).getAll("a"), new URLSearchParams("a=%zz%").get("a"), [...new URLSearchParams("x=1").keys()],
    new URLSearchParams("a=1").has("a", "2"), new URLSearchParams("a=1").size,
  ]`);
});

test("URL refuses an internationalised host, which it cannot write", async () => {
  const { error } = await engine.run("export default () => new URL('http://é.com')");
  expect(error).toMatchObject({ type: "TypeError", message: expect.stringMatching(/internationalised/) });
});

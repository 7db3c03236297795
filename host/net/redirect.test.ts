import { describe, expect, test } from "vitest";
import { locationOf, redirectedHop } from "./redirect.ts";
import type { Head, Hop } from "./transport.ts";

const hop = (more: Partial<Hop> = {}): Hop => ({
  url: new URL("https://a.example/one/two?q=1"),
  method: "POST",
  headers: [
    ["authorization", "Bearer a"],
    ["cookie", "a=1"],
    ["content-type", "text/plain"],
    ["x-own", "1"],
  ],
  body: new Uint8Array([1]),
  ...more,
});
const names = ({ headers }: Hop) => headers.map(([name]) => name);

describe("redirectedHop()", () => {
  test.each([
    [301, "POST", "GET"],
    [302, "POST", "GET"],
    [303, "POST", "GET"],
    [303, "PUT", "GET"],
    [303, "HEAD", "HEAD"],
    [301, "PUT", "PUT"],
    [302, "DELETE", "DELETE"],
    [301, "HEAD", "HEAD"],
    [307, "POST", "POST"],
    [308, "POST", "POST"],
  ])("after a %i of %s sends %s", (status, method, sent) => {
    const next = redirectedHop(hop({ method }), status, "/three");
    expect(next.method).toBe(sent);
    const isKept = sent === method;
    expect(next.body).toEqual(isKept ? new Uint8Array([1]) : null);
    expect(names(next).includes("content-type")).toBe(isKept);
  });

  test.each([
    ["three", "https://a.example/one/three"],
    ["/three#part", "https://a.example/three"],
    ["?q=2", "https://a.example/one/two?q=2"],
    ["//b.example/", "https://b.example/"],
    ["https://a.example:443/", "https://a.example/"],
    ["http://2130706433/", "http://127.0.0.1/"],
  ])("reads the location %s as %s", (location, url) => {
    expect(redirectedHop(hop(), 302, location).url.href).toBe(url);
  });

  test.each([
    ["/three", true],
    ["https://a.example:443/", true],
    ["https://b.example/", false],
    ["https://a.example:8443/", false],
    ["https://sub.a.example/", false],
    ["http://a.example/", false],
  ])("to %s keeps credentials: %j", (location, isKept) => {
    const next = redirectedHop(hop(), 307, location);
    expect(names(next).includes("authorization")).toBe(isKept);
    expect(names(next).includes("cookie")).toBe(isKept);
    expect(names(next)).toContain("x-own");
  });

  test.each(["file:///etc/passwd", "gopher://a.example/", "http://", "http://user:secret@b.example/"])(
    "refuses the location %s",
    (location) => {
      expect(() => redirectedHop(hop(), 302, location)).toThrow(
        expect.objectContaining({
          name: "NetError",
          code: "redirect",
          message: expect.stringMatching(/^(?!.*secret).*a\.example/),
        }),
      );
    },
  );
});

describe("locationOf()", () => {
  const head = (status: number, ...headers: Head["headers"]) => ({ status, headers }) as Head;

  test("is there for redirects that say where to", () => {
    for (const status of [301, 302, 303, 307, 308])
      expect(locationOf(head(status, ["location", "/a"]))).toBe("/a");
    for (const status of [200, 201, 300, 304, 305, 306])
      expect(locationOf(head(status, ["location", "/a"]))).toBeNull();
    expect(locationOf(head(302))).toBeNull();
  });

  test("reads bytes beyond ASCII as UTF-8", () => {
    const bytes = String.fromCharCode(...new TextEncoder().encode("/bücher"));
    expect(locationOf(head(302, ["location", bytes]))).toBe("/bücher");
  });
});

import { describe, expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { readRequest } from "./request.ts";

const GET = {
  url: "http://a.example/",
  method: "GET",
  headers: [],
  body: null,
  redirect: "follow",
  timeoutMs: null,
};
const read = (more: Record<string, unknown>) => readRequest({ ...GET, ...more }, 1000);
const thrown = (action: () => unknown): Error => {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error("It threw nothing");
};
const headers = (...list: [string, string][]) => read({ headers: list }).headers;

describe("readRequest()", () => {
  test("reads a request", () => {
    const body = new Uint8Array([1, 2]);
    const request = readRequest(
      {
        url: "https://bücher.example:443/a b?q=ü#part",
        method: "post",
        headers: [["X-One", " 1\t"]],
        body,
        redirect: "manual",
        timeoutMs: 5,
      },
      1000,
    );
    expect(request.url.href).toBe("https://xn--bcher-kva.example/a%20b?q=%C3%BC");
    expect(request).toMatchObject({
      method: "POST",
      headers: [["x-one", "1"]],
      body,
      redirect: "manual",
      timeoutMs: 5,
    });
  });

  test.each([
    [null],
    ["http://a.example/"],
    [{ ...GET, url: 5 }],
    [{ ...GET, url: undefined }],
    [{ ...GET, method: null }],
    [{ ...GET, headers: {} }],
    [{ ...GET, headers: ["a: b"] }],
    [{ ...GET, headers: [["a", 5]] }],
    [{ ...GET, headers: [["a"]] }],
    [{ ...GET, body: "text" }],
    [{ ...GET, body: [1] }],
    [{ ...GET, redirect: "never" }],
    [{ ...GET, timeoutMs: 0 }],
    [{ ...GET, timeoutMs: Number.NaN }],
    [{ ...GET, timeoutMs: Infinity }],
    [{ ...GET, timeoutMs: "5" }],
  ])("refuses what has another type: %j", (value) => {
    expect(() => readRequest(value, 1000)).toThrow(UsageError);
  });

  test.each([
    ["", "no URL"],
    ["/relative", "no URL"],
    ["a.example", "no URL"],
    ["http://", "no URL"],
    ["http://a.example:99999/", "no URL"],
    ["http://a b.example/", "no URL"],
    ["http://[::1", "no URL"],
    ["file:///etc/passwd", '"file:"'],
    ["ftp://a.example/", '"ftp:"'],
    ["data:text/plain,a", '"data:"'],
    ["javascript:alert(1)", '"javascript:"'],
    ["ws://a.example/", '"ws:"'],
    ["blob:http://a.example/1", '"blob:"'],
    ["unix:/var/run/docker.sock", '"unix:"'],
    ["http://user:secret@a.example/", "a URL of a.example with a user name or password"],
    ["http://user@a.example/", "with a user name"],
    ["http://:secret@a.example/", "with a user name or password"],
    ["http://\u202egro.elpmaxe\u001b[2J ", "\\u202e"],
  ])("refuses the URL %j", (url, message) => {
    const error = thrown(() => read({ url }));
    expect(error).toMatchObject({ name: "NetError", code: "url", message: expect.stringContaining(message) });
    expect(error.message).not.toContain("secret");
  });

  test("refuses a URL that is too long", () => {
    expect(() => read({ url: `http://a.example/${"a".repeat(70_000)}` })).toThrow("70017 characters");
  });

  test.each(["", "GE T", "GET\r\nX: y", "G(T", "é", "a".repeat(33), "CONNECT", "connect", "TRACE", "Track"])(
    "refuses the method %j",
    (method) => {
      expect(() => read({ method })).toThrow(expect.objectContaining({ name: "NetError", code: "protocol" }));
    },
  );

  test("writes methods as the Fetch standard does", () => {
    for (const [given, sent] of [
      ["get", "GET"],
      ["Delete", "DELETE"],
      ["patch", "patch"],
      ["QUERY", "QUERY"],
    ] as const)
      expect(read({ method: given }).method).toBe(sent);
  });

  test("takes a body where the method does, and not a larger one than allowed", () => {
    const body = new Uint8Array(1000);
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
      expect(read({ method, body }).body).toBe(body);
    for (const method of ["GET", "head"]) {
      expect(() => read({ method, body })).toThrow(expect.objectContaining({ code: "protocol" }));
      expect(read({ method, body: new Uint8Array(0) }).body).toBeNull();
    }
    expect(() => read({ method: "POST", body: new Uint8Array(1001) })).toThrow(
      expect.objectContaining({ code: "size" }),
    );
  });
});

describe("readRequest().headers", () => {
  test("are names in lower case and trimmed values; lines of one name are one", () => {
    expect(
      headers(["X-A", "1"], ["Cookie", "a=1"], ["x-a", "2"], ["COOKIE", "b=2"], ["x-e", ""], ["x-l", "é"]),
    ).toEqual([
      ["x-a", "1, 2"],
      ["cookie", "a=1; b=2"],
      ["x-e", ""],
      ["x-l", "é"],
    ]);
  });

  test.each([
    ["X A", "1"],
    ["", "1"],
    ["X:", "1"],
    ["X\r\nY", "1"],
    ["é", "1"],
    ["x-a", "1\r\nx-b: 2"],
    ["x-a", "1\n"],
    ["x-a", "1\0"],
    ["x-a", "\u007f"],
    ["x-a", "snow ☃"],
    ["x-a", "\ud800"],
  ])("refuse %j: %j", (name, value) => {
    expect(() => headers([name, value])).toThrow(
      expect.objectContaining({ name: "NetError", code: "protocol" }),
    );
  });

  test.each([
    ["Transfer-Encoding", "chunked"],
    ["transfer-encoding", "identity"],
    ["TE", "trailers"],
    ["Trailer", "x"],
    ["Upgrade", "websocket"],
    ["HTTP2-Settings", "AAMAAABkAAQAAP__"],
    ["Expect", "100-continue"],
    ["Proxy-Authorization", "Basic YTpi"],
    ["Proxy-Connection", "keep-alive"],
    ["Host", "b.example"],
    ["Host", "a.example:8080"],
    ["Host", "a.example, b.example"],
    ["Host", ""],
    ["Connection", "upgrade"],
    ["Connection", "close, x-secret"],
    ["Connection", "x-forwarded-for"],
    ["Content-Length", "5"],
    ["Content-Length", "0, 0"],
    ["Content-Length", "+0"],
    ["Content-Length", ""],
  ])("refuse %s: %s, which is the host's to say", (name, value) => {
    expect(() => headers([name, value])).toThrow(
      expect.objectContaining({ code: "protocol", message: expect.stringContaining(name.toLowerCase()) }),
    );
  });

  test("leave out what the host says anyway", () => {
    expect(
      headers(
        ["Host", "A.example"],
        ["host", "a.example:80"],
        ["Connection", "keep-alive"],
        ["Connection", "Close"],
        ["Keep-Alive", "timeout=5"],
        ["Content-Length", "0"],
      ),
    ).toEqual([]);
    const post = { method: "POST", body: new Uint8Array(3), headers: [["Content-Length", "3"]] };
    expect(read(post).headers).toEqual([]);
  });

  test("have a bound in number and size", () => {
    const many = (count: number, length: number) =>
      Array.from({ length: count }, (_, i): [string, string] => [`x-${i}`, "v".repeat(length)]);
    expect(headers(...many(256, 1))).toHaveLength(256);
    for (const list of [many(257, 1), many(5, 20_000), [["x".repeat(70_000), "1"] as [string, string]]])
      expect(() => headers(...list)).toThrow(expect.objectContaining({ code: "size" }));
  });
});

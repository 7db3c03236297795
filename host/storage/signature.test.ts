import { expect, test } from "vitest";
import { sha256 } from "../cache/blobs.ts";
import { awsSigner, encodeQuery, signHeaders, signQuery } from "./signature.ts";

/** The examples of the S3 API reference: "Signature Calculations for the Authorization Header", and "Using Query Parameters". */
const signer = awsSigner(
  { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  "us-east-1",
);
const now = new Date("2013-05-24T00:00:00Z");
const host = "examplebucket.s3.amazonaws.com";

test.each([
  [
    "GET of a range",
    { method: "GET", path: "/test.txt", query: [], headers: { host, range: "bytes=0-9" } },
    "",
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [
    "PUT",
    {
      method: "PUT",
      path: "/test%24file.text",
      query: [],
      headers: { host, date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
    },
    "Welcome to Amazon S3.",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  [
    "a parameter without a value",
    { method: "GET", path: "/", query: [["lifecycle", ""]] as const, headers: { host } },
    "",
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  ],
  [
    "a list",
    {
      method: "GET",
      path: "/",
      query: [
        ["prefix", "J"],
        ["max-keys", "2"],
      ] as const,
      headers: { host },
    },
    "",
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
])("signHeaders() signs %s as Amazon does", async (_what, request, body, signature) => {
  const { authorization } = await signHeaders(request, signer, await sha256(body), now);
  expect(authorization).toContain(
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
  );
  expect(authorization).toMatch(new RegExp(`Signature=${signature}$`));
});

test("signQuery() signs a URL as Amazon does", async () => {
  const request = { method: "GET", path: "/test.txt", query: [], headers: { host } };
  expect(await signQuery(request, signer, 86400, now)).toBe(
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
      "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
      "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  );
});

test("a temporary credential's token is signed, too", async () => {
  const temporary = awsSigner({ accessKeyId: "a", secretAccessKey: "b", sessionToken: "c/d" }, "us-east-1");
  const request = { method: "GET", path: "/a", query: [], headers: { host } };
  const headers = await signHeaders(request, temporary, await sha256(""), now);
  expect(headers["x-amz-security-token"]).toBe("c/d");
  expect(headers.authorization).toContain("x-amz-date;x-amz-security-token,");
  expect(await signQuery(request, temporary, 1, now)).toContain("X-Amz-Security-Token=c%2Fd");
});

test("encodeQuery() sorts by the encoded names, then values", () => {
  expect(
    encodeQuery([
      ["b", "2"],
      ["b", "1"],
      ["a b", "ü&="],
      ["B", ""],
    ]),
  ).toBe("B=&a%20b=%C3%BC%26%3D&b=1&b=2");
});

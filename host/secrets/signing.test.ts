import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checkData, checkSigning, sign } from "./signing.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const text = (value: string) => new TextEncoder().encode(value);

describe("signing", () => {
  test.each([
    ["HMAC-SHA-1", "sha1"],
    ["HMAC-SHA-256", "sha256"],
    ["HMAC-SHA-384", "sha384"],
    ["HMAC-SHA-512", "sha512"],
  ])("%s is that of Node", async (algorithm, name) => {
    const signature = await sign({ name: "K", value: "kéy" }, text("data"), checkSigning({ algorithm }));
    expect(hex(signature)).toBe(createHmac(name, "kéy").update("data").digest("hex"));
  });

  test("a key in base64 is its bytes, in either alphabet", async () => {
    const bytes = Buffer.from([251, 255, 0, 1]);
    const expected = createHmac("sha256", bytes).update("data").digest("hex");
    const how = checkSigning({ algorithm: "HMAC-SHA-256", key: "base64" });
    for (const value of [bytes.toString("base64"), bytes.toString("base64url")])
      expect(hex(await sign({ name: "K", value }, text("data"), how))).toBe(expected);
    await expect(sign({ name: "K", value: "no base64!" }, text("data"), how)).rejects.toMatchObject({
      code: "value",
      message: "Cannot sign with the secret K: it is no base64",
    });
  });

  test("AWS4-HMAC-SHA256 is the signature of the example in the documentation of S3", async () => {
    // "Example: GET Object", Authenticating Requests: Using the Authorization Header.
    const toSign =
      "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972";
    const how = checkSigning({
      algorithm: "AWS4-HMAC-SHA256",
      scope: "20130524/us-east-1/s3/aws4_request",
    });
    const value = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    expect(hex(await sign({ name: "K", value }, text(toSign), how))).toBe(
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
  });

  test.each([
    [{}, "algorithm"],
    [null, "algorithm"],
    [{ algorithm: "__proto__" }, "algorithm"],
    [{ algorithm: "AWS4-HMAC-SHA256" }, "scope"],
    [{ algorithm: "AWS4-HMAC-SHA256", scope: "20130524/us-east-1/s3/other" }, "scope"],
    [{ algorithm: "HMAC-SHA-256", scope: "20130524/us-east-1/s3/aws4_request" }, "scope"],
    [{ algorithm: "HMAC-SHA-256", key: "hex" }, "key"],
  ])("%j is refused: its %s is wrong", (how, field) => {
    expect(() => checkSigning(how)).toThrow(`Cannot sign with a secret: ${field} must be `);
  });

  test.each([[null], [1], [[1, 2]], [new Uint8Array(2 ** 20 + 1)]])(
    "data that is none is refused",
    (data) => {
      expect(() => checkData(data)).toThrow("Cannot sign with a secret: data must be ");
    },
  );
});

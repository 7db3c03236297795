import { expect, test } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import { storageFrom } from "./storage.ts";

test("keys come from the environment; without any, nothing is signed and there is no gs://", () => {
  expect(storageFrom({})).toEqual({ s3: { credentials: null } });
  expect(
    storageFrom({
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "key",
      AWS_SESSION_TOKEN: "token",
      AWS_DEFAULT_REGION: "eu-west-1",
      AWS_ENDPOINT_URL: "http://127.0.0.1:9000",
      GOOGLE_APPLICATION_CREDENTIALS: import.meta.filename,
    }),
  ).toMatchObject({
    s3: {
      credentials: { accessKeyId: "id", secretAccessKey: "key", sessionToken: "token" },
      region: "eu-west-1",
      endpoint: "http://127.0.0.1:9000",
    },
    enableGcs: true,
    gcsKey: expect.stringContaining("storageFrom"),
  });
});

test("half a key, or a key file that is not there, is refused by name", () => {
  expect(() => storageFrom({ AWS_ACCESS_KEY_ID: "id" })).toThrow(UsageError);
  expect(() => storageFrom({ AWS_SECRET_ACCESS_KEY: "key" })).toThrow("AWS_ACCESS_KEY_ID is not set");
  expect(() => storageFrom({ GOOGLE_APPLICATION_CREDENTIALS: "/no/such/key.json" })).toThrow(
    'Cannot read the key file "/no/such/key.json"',
  );
});

test("what one may hold in fd:// comes from the environment, too", () => {
  expect(storageFrom({ FUSELET_STORAGE_BYTES: "1000", FUSELET_STORAGE_OBJECTS: "" }).quota).toEqual({
    bytes: 1000,
  });
  expect(storageFrom({ FUSELET_STORAGE_OBJECTS: "0" }).quota).toEqual({ objects: 0 });
  for (const text of ["1GB", "-1", "1.5", "9".repeat(20)])
    expect(() => storageFrom({ FUSELET_STORAGE_BYTES: text })).toThrow(
      "Cannot use FUSELET_STORAGE_BYTES: it must be",
    );
});

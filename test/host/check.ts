/** Assertions for cases that run in Node and in pages. */

const text = (value: unknown): string =>
  JSON.stringify(value, (_, item) =>
    item instanceof Uint8Array ? `bytes ${[...item]}` : item === undefined ? "undefined" : item,
  );

/** @throws Error that shows both values where they differ as JSON; bytes and undefined count, too */
export function equal(actual: unknown, expected: unknown): void {
  if (text(actual) !== text(expected)) throw new Error(`expected ${text(expected)}, got ${text(actual)}`);
}

/** @throws Error where the promise is kept, or fails with another error */
export async function fails(promise: Promise<unknown>, expected: { code: string; message?: RegExp }) {
  const error = await promise.then(
    (value) => new Error(`expected ${expected.code}, got the value ${text(value)}`),
    (cause: Error & { code?: string }) => cause,
  );
  if ((error as { code?: string }).code !== expected.code) throw error;
  if (expected.message && !expected.message.test(error.message)) throw error;
}

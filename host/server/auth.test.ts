import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openSignIn, peerOf, type SignIn } from "./auth.ts";
import type { User } from "./parts.ts";

const ADA = { id: "1", handle: "ada" } as User;
let tokens: Set<string>;
let signIn: SignIn;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "performance"] });
  tokens = new Set(["right", "new"]);
  signIn = openSignIn({ byToken: async (token) => (tokens.has(token) ? ADA : null) });
});
afterEach(() => void vi.useRealTimers());

/** Tries wrong tokens. @returns how many were looked up */
async function guess(address: string, times: number, isPage?: boolean): Promise<number> {
  for (let tries = 0; tries < times; tries++) {
    try {
      expect(await signIn(peerOf(address, isPage), tries % 2 ? undefined : `wrong-${tries}`)).toBeNull();
    } catch (error) {
      expect(error).toMatchObject({
        status: 429,
        headers: { "retry-after": expect.stringMatching(/^\d+$/) },
      });
      return tries;
    }
  }
  return times;
}

test("wrong tokens are looked up thirty times a minute, and right ones meanwhile not either", async () => {
  expect(await guess("192.0.2.1", 100)).toBe(30);
  await expect(signIn("192.0.2.1", "right")).rejects.toMatchObject({ status: 429 });
  expect(await signIn("192.0.2.2", "right")).toBe(ADA);
  // Nobody waits longer because the clock was set back.
  vi.setSystemTime(0);
  vi.advanceTimersByTime(60_001);
  expect(await guess("192.0.2.1", 100)).toBe(30);
});

test("who was let in before is let in, whatever others do behind the same address", async () => {
  expect(await signIn("192.0.2.1", "right")).toBe(ADA);
  expect(await guess("192.0.2.1", 100)).toBe(30);
  expect(await signIn("192.0.2.1", "right")).toBe(ADA);
  tokens.delete("right");
  expect(await signIn("192.0.2.1", "right")).toBeNull();
  tokens.add("right");
  await expect(signIn("192.0.2.1", "right")).rejects.toMatchObject({ status: 429 });
});

test("a network of IPv6 is one peer, and IPv4 within it is each its own", async () => {
  for (let host = 0; host < 30; host++) expect(await guess(`2001:db8::${host.toString(16)}`, 1)).toBe(1);
  expect(await guess("2001:db8:0:0:ffff::1", 1)).toBe(0);
  expect(await guess("2001:db8:0:1::1", 100)).toBe(30);
  expect(await guess("fe80::1%eth0", 100)).toBe(30);
  expect(await guess("fe80::2%eth0", 1)).toBe(0);
  expect(await guess("::ffff:192.0.2.1", 100)).toBe(30);
  expect(await guess("::ffff:192.0.2.2", 1)).toBe(1);
});

test("what pages in somebody's browser guess does not keep out that somebody", async () => {
  expect(await guess("192.0.2.1", 100, true)).toBe(30);
  expect(await signIn(peerOf("192.0.2.1"), "right")).toBe(ADA);
  await expect(signIn(peerOf("192.0.2.1", true), "new")).rejects.toMatchObject({ status: 429 });
});

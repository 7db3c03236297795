/** A page or worker as the owner of locks: it holds a Web Lock for as long as it lives, which the browser takes away with it. */
import { once } from "../../runtime/once.ts";
import type { Owner } from "./owner.ts";

const PREFIX = "fuselet-owner-";

/** This page or worker. */
export function pageOwner(): Owner {
  const id = crypto.randomUUID();
  // Not there in old browsers.
  const locks = navigator.locks as LockManager | undefined;
  let release = () => {};
  const hold = once(async () => {
    if (!locks) return;
    await new Promise<void>((resolve, reject) => {
      const held = locks.request(PREFIX + id, () => {
        resolve();
        return new Promise<void>((end) => {
          release = end;
        });
      });
      held.catch(reject);
    });
  });
  return {
    async id() {
      await hold();
      return id;
    },
    async isAlive(other) {
      if (!locks) return undefined;
      const { held = [] } = await locks.query();
      return held.some(({ name }) => name === PREFIX + other);
    },
    close: () => release(),
  };
}

import { expect, test } from "vitest";
import { Room } from "./room.ts";

const settle = () => new Promise((resolve) => setTimeout(resolve));

/** A reader that takes 10 bytes whenever it is told to. */
function open(room: Room) {
  const took: number[] = [];
  const { promise, resolve: end } = Promise.withResolvers<void>();
  let takeMore: (bytes: number) => Promise<void>;
  const done = room.read((take) => {
    takeMore = take;
    return promise;
  });
  return {
    took,
    async take() {
      void takeMore(10).then(() => took.push(10));
      await settle();
    },
    async end() {
      end();
      await done;
      await settle();
    },
  };
}

test("beyond the room only the first reader goes on, and the others when it has ended", async () => {
  const room = new Room(30, () => Promise.resolve());
  const [first, second] = [open(room), open(room)];
  for (let i = 0; i < 3; i++) await second.take();
  expect(second.took).toHaveLength(3);
  for (let i = 0; i < 5; i++) await first.take();
  expect(first.took).toHaveLength(5);
  await second.take();
  expect(second.took).toHaveLength(3);
  await first.end();
  expect(second.took).toHaveLength(4);
});

test("a reader that fails gives back what it had", async () => {
  const room = new Room(10, () => Promise.resolve());
  const broken = room.read(async (take) => {
    await take(1000);
    throw new Error("broken");
  });
  await expect(broken).rejects.toThrow("broken");
  const [first, second] = [open(room), open(room)];
  await second.take();
  expect(second.took).toHaveLength(1);
  await first.end();
  await second.end();
});

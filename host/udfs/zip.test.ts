import { strToU8, zipSync } from "fflate";
import { expect, test } from "vitest";
import { crc32, readZip } from "./zip.ts";

const LIMITS = { maxEntries: 100, maxTotalBytes: 1 << 20, maxRatio: 100 };

/** A valid archive of one file, whose bytes a test may then break. */
function archive(path = "a.py", text = "print(1)\n".repeat(20)) {
  const zip = zipSync({ [path]: strToU8(text) });
  const view = new DataView(zip.buffer, zip.byteOffset);
  let central = 0;
  while (view.getUint32(central, true) !== 0x02014b50) central++;
  return { zip, view, central };
}

test("readZip() reads stored and deflated entries", () => {
  const zip = zipSync({
    "a/b.py": strToU8("hello"),
    "c.py": [strToU8("x".repeat(500)), { level: 0 }],
    "d/": new Uint8Array(),
  });
  const files = readZip(zip, LIMITS);
  expect(Object.keys(files)).toEqual(["a/b.py", "c.py"]);
  expect(new TextDecoder().decode(files["a/b.py"])).toBe("hello");
  expect(files["c.py"]).toHaveLength(500);
  expect(Object.keys(readZip(zip, LIMITS, (path) => path === "c.py"))).toEqual(["c.py"]);
});

test.each(["../a.py", "/a.py", "a/../../b.py", "..\\a.py", "c:/a.py", "a/./b.py"])(
  "readZip() refuses the path %s",
  (path) => {
    expect(() => readZip(archive(path).zip, LIMITS)).toThrow(/Cannot use the path/);
  },
);

test("readZip() refuses a bomb by ratio and by total", () => {
  const bomb = zipSync({ a: new Uint8Array(10 << 20) });
  expect(() => readZip(bomb, LIMITS)).toThrow("larger than 1048576 bytes together");
  expect(() => readZip(bomb, { ...LIMITS, maxTotalBytes: 1 << 30 })).toThrow("more than 100 times its size");
  const many = zipSync(
    Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`f${i}`, new Uint8Array()])),
  );
  expect(() => readZip(many, LIMITS)).toThrow("it has 101 entries");
});

test("readZip() stops an entry that unpacks to more than it declares", () => {
  const { zip, view, central } = archive("a", "x".repeat(400_000));
  view.setUint32(central + 24, 10, true);
  expect(() => readZip(zip, LIMITS)).toThrow("more than the 10 bytes it declares");
  view.setUint32(central + 24, 400_001, true);
  expect(() => readZip(zip, { ...LIMITS, maxRatio: 1e9 })).toThrow("has 400000 bytes instead of 400001");
});

test("readZip() refuses symbolic links, encryption, zip64, damage and cut archives", () => {
  const broken = (change: (a: ReturnType<typeof archive>) => void) => {
    const made = archive();
    change(made);
    return () => readZip(made.zip, LIMITS);
  };
  expect(broken(({ view, central }) => view.setUint32(central + 38, 0o120777 << 16, true))).toThrow(
    "symbolic link",
  );
  expect(broken(({ view, central }) => view.setUint16(central + 8, 1, true))).toThrow("encrypted");
  expect(broken(({ view, central }) => view.setUint16(central + 10, 12, true))).toThrow(
    "compression method 12",
  );
  expect(broken(({ view, central }) => view.setUint32(central + 16, 1, true))).toThrow("checksum");
  expect(broken(({ view, central }) => view.setUint32(central + 42, 1, true))).toThrow("damaged");
  expect(broken(({ zip, view }) => view.setUint32(zip.length - 6, 0xffffffff, true))).toThrow("zip64");
  expect(broken(({ zip, view }) => view.setUint32(zip.length - 6, 7, true))).toThrow("directory is damaged");
  const { zip } = archive();
  for (let length = 0; length < zip.length; length++) {
    expect(() => readZip(zip.subarray(0, length), LIMITS)).toThrow("Cannot read the zip archive");
  }
});

test("crc32() gives the check value of the standard", () => {
  expect(crc32(strToU8("123456789"))).toBe(0xcbf43926);
});

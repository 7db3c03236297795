/**
 * What every storage that can be written must do. The cases run on files, S3 (moto) and GCS (a stand-in) in Node, and on OPFS
 * in Chromium.
 */
import { equal, fails } from "./check.ts";
import { pattern, type RunOptions, type StorageRun, text, textOf } from "./storage-run.ts";

export interface StorageCase {
  /** Opens a run. */
  run(options?: RunOptions): StorageRun;
  /** A folder that only this case uses, without a slash at its end: `s3://bucket/case-7`. */
  base: string;
}

const MiB = 1024 * 1024;

async function all(run: StorageRun, url: string, options: object = {}): Promise<string[]> {
  const urls: string[] = [];
  for (let after: string | null = null, first = true; first || after !== null; first = false) {
    const page: Awaited<ReturnType<StorageRun["list"]>> = await run.list(url, { ...options, after });
    urls.push(...page.entries.map((entry) => entry.url));
    after = page.next;
  }
  return urls;
}

const denied = async (promise: Promise<unknown>, permission: string, value: string) => {
  const error = await promise.then(
    () => null,
    (cause: unknown) => cause as { name: string; permission: string; value: string },
  );
  equal([error?.name, error?.permission, error?.value], ["PermissionDeniedError", permission, value]);
};

export const storageCases: Readonly<Record<string, (given: StorageCase) => Promise<void>>> = {
  "gives back what was put, and says what it is": async ({ run, base }) => {
    const storage = run();
    for (const size of [0, 1, 300_000]) {
      const bytes = pattern(size);
      await storage.put(`${base}/file-${size}.bin`, bytes, { contentType: "application/x-test" });
      equal(await storage.get(`${base}/file-${size}.bin`), bytes);
      const entry = await storage.details(`${base}/file-${size}.bin`);
      equal(
        [entry.url, entry.name, entry.isDirectory, entry.size],
        [`${base}/file-${size}.bin`, `file-${size}.bin`, false, size],
      );
      if (Math.abs(Date.now() - (entry.modifiedMs as number)) > 60_000)
        throw new Error(`at ${entry.modifiedMs}`);
    }
  },
  "replaces what was there, and its etag with it": async ({ run, base }) => {
    const storage = run();
    await storage.put(`${base}/a`, text("one"));
    const before = await storage.details(`${base}/a`);
    await storage.put(`${base}/a`, text("other"));
    equal(textOf(await storage.get(`${base}/a`)), "other");
    equal((await storage.details(`${base}/a`)).etag === before.etag, false);
  },
  "lists a folder: files and folders in it, sorted, folders with a slash": async ({ run, base }) => {
    const storage = run();
    for (const name of ["b/c/d", "a", "b.txt", "b/x", "z/1"])
      await storage.put(`${base}/${name}`, text(name));
    const { entries, next } = await storage.list(`${base}/`);
    equal(
      entries.map(({ url, name, isDirectory, size }) => [url.slice(base.length), name, isDirectory, size]),
      [
        ["/a", "a", false, 1],
        ["/b.txt", "b.txt", false, 5],
        ["/b/", "b", true, null],
        ["/z/", "z", true, null],
      ],
    );
    equal(next, null);
    equal(
      await all(storage, base),
      entries.map(({ url }) => url),
    );
  },
  "lists all files below a folder": async ({ run, base }) => {
    const storage = run();
    for (const name of ["b/c/d", "a", "b.txt", "b/x", "ab/c"])
      await storage.put(`${base}/${name}`, text("1"));
    equal(
      await all(storage, base, { recursive: true }),
      ["a", "ab/c", "b.txt", "b/c/d", "b/x"].map((name) => `${base}/${name}`),
    );
    equal(await all(storage, `${base}/b`, { recursive: true }), [`${base}/b/c/d`, `${base}/b/x`]);
  },
  "lists in pages": async ({ run, base }) => {
    const storage = run();
    const names = ["a", "b/1", "b/2", "b/c/3", "b.txt", "c", "d/1", "e"];
    for (const name of names) await storage.put(`${base}/${name}`, text(name));
    for (const limit of [1, 2, 3, 1000]) {
      equal(
        await all(storage, base, { recursive: true, limit }),
        ["a", "b.txt", "b/1", "b/2", "b/c/3", "c", "d/1", "e"].map((name) => `${base}/${name}`),
      );
      equal(
        (await all(storage, base, { limit })).sort(),
        ["a", "b.txt", "b/", "c", "d/", "e"].map((name) => `${base}/${name}`).sort(),
      );
    }
  },
  "a list of a file is the file, and of nothing is empty": async ({ run, base }) => {
    const storage = run();
    await storage.put(`${base}/a`, text("1"));
    equal(await all(storage, `${base}/a`), [`${base}/a`]);
    equal(await all(storage, `${base}/none`), []);
    equal(await all(storage, `${base}/a/none`), []);
  },
  "takes any name that a place can have": async ({ run, base }) => {
    const storage = run();
    const names = [
      "with space",
      "a+b",
      "a%41b",
      "100%",
      "ümläut",
      "u\u0308mlaut",
      "日本語",
      "😀",
      "!'()*~@$&=;:,",
      'a&amp;b<c>"d',
      "a'b`c",
      "-rf",
      "..a",
      "a..b",
      "__proto__",
      "constructor",
      "a".repeat(200),
    ];
    for (const name of names) await storage.put(`${base}/${name}/${name}`, text(name));
    const found = await all(storage, base, { recursive: true });
    equal(found.length, names.length);
    for (const name of names) {
      const url = `${base}/${name}/${name}`;
      equal(found.includes(url), true);
      equal(textOf(await storage.get(url)), name);
    }
    for (const name of names) equal(await storage.delete(`${base}/${name}/`), true);
    equal(await all(storage, base, { recursive: true }), []);
  },
  "gives parts of a file": async ({ run, base }) => {
    const storage = run();
    const bytes = pattern(100_000);
    await storage.put(`${base}/a`, bytes);
    for (const [offset, length] of [
      [0, 1],
      [99_999, 1],
      [1234, 4321],
      [99_000, 4 * MiB],
      [0, 100_000],
    ] as const)
      equal(await storage.get(`${base}/a`, { offset, length }), bytes.subarray(offset, offset + length));
    equal(await storage.get(`${base}/a`, { offset: 100_000, length: 10 }), new Uint8Array(0));
    await storage.put(`${base}/empty`, new Uint8Array(0));
    equal(await storage.get(`${base}/empty`, { offset: 0, length: 10 }), new Uint8Array(0));
  },
  "opens a file that is read here and there": async ({ run, base }) => {
    const storage = run();
    const bytes = pattern(5 * MiB);
    await storage.put(`${base}/a`, bytes);
    const { file, size } = await storage.open(`${base}/a`);
    equal(size, bytes.length);
    equal(await storage.read(file, 4 * MiB, 2 * MiB), bytes.subarray(4 * MiB));
    equal(await storage.read(file, 17, 5), bytes.subarray(17, 22));
    equal(await storage.read(file, 5 * MiB, 5), new Uint8Array(0));
    await fails(storage.open(`${base}/none`), { code: "not found" });
  },
  "a file that is open is one version: it is never half the one and half the other": async ({
    run,
    base,
  }) => {
    const storage = run();
    await storage.put(`${base}/a`, text("one one one"));
    const { file } = await storage.open(`${base}/a`);
    equal(textOf(await storage.read(file, 0, 3)), "one");
    await storage.put(`${base}/a`, text("two two two two"));
    const rest = await storage.read(file, 4, 3).then(textOf, (error: { code: string }) => error.code);
    if (rest !== "one" && rest !== "request") throw new Error(`read ${rest}`);
  },
  "writes only what is not there, if that is wanted": async ({ run, base }) => {
    const storage = run();
    await storage.put(`${base}/a`, text("one"), { ifNoneMatch: true });
    await fails(storage.put(`${base}/a`, text("two"), { ifNoneMatch: true }), { code: "exists" });
    equal(textOf(await storage.get(`${base}/a`)), "one");
    equal(await all(storage, base), [`${base}/a`]);
  },
  "of many that write what is not there, one does": async ({ run, base }) => {
    const storages = [run(), run(), run()];
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) =>
        storages[i % 3]!.put(`${base}/a`, text(`${i}`), { ifNoneMatch: true }),
      ),
    );
    equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    const winner = results.findIndex(({ status }) => status === "fulfilled");
    equal(textOf(await storages[0]!.get(`${base}/a`)), String(winner));
  },
  "a file of 20 MB comes in parts, and is not seen before its end": async ({ run, base }) => {
    const storage = run();
    const bytes = pattern(20 * MiB + 12_345);
    await storage.put(`${base}/a`, text("before"));
    const upload = await storage.openWrite(`${base}/a`);
    const sizes = [1, 3 * MiB, 8 * MiB, 100, 8 * MiB, MiB];
    let at = 0;
    for (const size of [...sizes, bytes.length]) {
      const part = bytes.subarray(at, Math.min(at + size, bytes.length));
      at += part.length;
      // A buffer of its own, as a frame brings it.
      if (part.length > 0 && part.length <= 8 * MiB) await storage.writePart(upload, part.slice());
    }
    equal(at, bytes.length);
    equal(textOf(await storage.get(`${base}/a`)), "before");
    equal(await all(storage, base), [`${base}/a`]);
    await storage.commitWrite(upload);
    equal((await storage.details(`${base}/a`)).size, bytes.length);
    const { file, size } = await storage.open(`${base}/a`);
    equal(size, bytes.length);
    for (let from = 0; from < size; from += 4 * MiB) {
      const part = await storage.read(file, from, Math.min(4 * MiB, size - from));
      const expected = bytes.subarray(from, from + 4 * MiB);
      if (part.length !== expected.length || part.some((byte, i) => byte !== expected[i]))
        throw new Error(`another content from ${from}`);
    }
  },
  "what is given up is not there, and its number is no more": async ({ run, base }) => {
    const storage = run();
    const upload = await storage.openWrite(`${base}/a`);
    for (let i = 0; i < 3; i++) await storage.writePart(upload, pattern(6 * MiB));
    await storage.abortWrite(upload);
    equal(await all(storage, base, { recursive: true }), []);
    await fails(storage.writePart(upload, text("1")), { code: "request" });
    await fails(storage.commitWrite(upload), { code: "request" });
    await fails(storage.abortWrite(upload), { code: "request" });
  },
  "what a run has not ended when it ends is not there": async ({ run, base }) => {
    const storage = run();
    const upload = await storage.openWrite(`${base}/a`);
    await storage.writePart(upload, text("half"));
    const under = storage.writePart(upload, pattern(8 * MiB)).catch(() => {});
    storage.end();
    await under;
    await fails(storage.commitWrite(upload), { code: "request" });
    await fails(storage.openWrite(`${base}/b`), { code: "request" });
    equal(await all(run(), base, { recursive: true }), []);
  },
  "another run's upload is none": async ({ run, base }) => {
    const [one, other] = [run(), run()];
    const upload = await one.openWrite(`${base}/a`);
    await fails(other.writePart(upload, text("1")), { code: "request" });
    await fails(other.commitWrite(upload), { code: "request" });
    await one.abortWrite(upload);
  },
  "deletes a file, and says whether there was one": async ({ run, base }) => {
    const storage = run();
    await storage.put(`${base}/a`, text("1"));
    await storage.put(`${base}/ab`, text("1"));
    equal([await storage.delete(`${base}/a`), await storage.delete(`${base}/a`)], [true, false]);
    equal(await all(storage, base), [`${base}/ab`]);
    await fails(storage.get(`${base}/a`), { code: "not found" });
    await fails(storage.details(`${base}/a`), { code: "not found" });
  },
  "deletes a folder that is not too deep, and else nothing": async ({ run, base }) => {
    const storage = run();
    const names = ["f/1", "f/a/2", "f/a/b/3", "f/a/b/c/4", "fg"];
    for (const name of names) await storage.put(`${base}/${name}`, text(name));
    await fails(storage.delete(`${base}/f/`), { code: "request", message: /4 levels.*the most.*3/ });
    await fails(storage.delete(`${base}/f`, { maxDeletionDepth: 0 }), { code: "request" });
    equal((await all(storage, base, { recursive: true })).length, 5);
    equal(await storage.delete(`${base}/f/a`), true);
    equal(await all(storage, base, { recursive: true }), [`${base}/f/1`, `${base}/fg`]);
    for (const name of names) await storage.put(`${base}/${name}`, text(name));
    equal(await storage.delete(`${base}/f`, { maxDeletionDepth: "unlimited" }), true);
    equal(await all(storage, base, { recursive: true }), [`${base}/fg`]);
    equal(await storage.delete(`${base}/f`), false);
  },
  "a whole storage is not deleted by accident": async ({ run, base }) => {
    const storage = run();
    await storage.put(`${base}/a`, text("1"));
    const root = /^[a-z0-9]+:\/\/[^/]*\//
      .exec(base.startsWith("fd://") ? "fd:///" : base)?.[0]
      .replace("fd:///", "fd://");
    await fails(storage.delete(root), { code: base.startsWith("file:") ? "request" : "request" });
    equal(await all(storage, base), [`${base}/a`]);
  },
  "a folder has details": async ({ run, base }) => {
    const storage = run();
    await storage.put(`${base}/f/a`, text("1"));
    for (const url of [`${base}/f`, `${base}/f/`]) {
      const entry = await storage.details(url);
      equal([entry.url, entry.name, entry.isDirectory, entry.size], [`${base}/f/`, "f", true, null]);
    }
    await fails(storage.details(`${base}/none/`), { code: "not found" });
    await fails(storage.put(`${base}/f/`, text("1")), { code: "request" });
  },
  "nothing is done without a grant": async ({ run, base }) => {
    await run().put(`${base}/a`, text("1"));
    const none = run({ permissions: {} });
    const value = base.replace("file://", "");
    await denied(none.list(`${base}/`), "read", value);
    await denied(none.details(`${base}/a`), "read", `${value}/a`);
    await denied(none.get(`${base}/a`), "read", `${value}/a`);
    await denied(none.open(`${base}/a`), "read", `${value}/a`);
    await denied(none.sign(`${base}/a`), "read", `${value}/a`);
    await denied(none.signPrefix(`${base}`), "read", value);
    await denied(none.put(`${base}/a`, text("2")), "write", `${value}/a`);
    await denied(none.openWrite(`${base}/a`), "write", `${value}/a`);
    await denied(none.delete(`${base}/a`), "write", `${value}/a`);
    await denied(none.sign(`${base}/a`, { method: "PUT" }), "write", `${value}/a`);
    equal(textOf(await run().get(`${base}/a`)), "1");
  },
  "a grant holds for a folder, not for its neighbours": async ({ run, base }) => {
    const whole = run();
    const value = base.replace("file://", "");
    for (const name of ["a/1", "ab", "A/1"]) await whole.put(`${base}/${name}`, text(name));
    const one = run({ permissions: { read: [`${value}/a`], write: [`${value}/a`] } });
    equal(textOf(await one.get(`${base}/a/1`)), "a/1");
    await denied(one.get(`${base}/ab`), "read", `${value}/ab`);
    await denied(one.get(`${base}/A/1`), "read", `${value}/A/1`);
    await denied(one.list(base), "read", value);
    await denied(one.delete(base), "write", value);
    await denied(one.delete(`${base}/ab`), "write", `${value}/ab`);
    await denied(one.put(`${base}/aa`, text("1")), "write", `${value}/aa`);
    await fails(one.get(`${base}/a/../ab`), { code: "request" });
  },
  "what is denied in a folder is not listed, and not deleted with it": async ({ run, base }) => {
    const value = base.replace("file://", "");
    for (const name of ["open/1", "secret/1", "secrets"]) await run().put(`${base}/${name}`, text(name));
    const rules = [`${value}/secret`];
    const some = run({ permissions: { read: true, write: true, deny: { read: rules, write: rules } } });
    equal(await all(some, base), [`${base}/open/`, `${base}/secrets`]);
    equal(await all(some, base, { recursive: true }), [`${base}/open/1`, `${base}/secrets`]);
    await denied(some.delete(base, { maxDeletionDepth: "unlimited" }), "write", `${value}/secret`);
    equal((await all(run(), base, { recursive: true })).length, 3);
    equal(await some.delete(`${base}/open`), true);
  },
};

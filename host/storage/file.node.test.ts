import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { storageCases } from "../../test/host/storage-cases.ts";
import { openRuns, type RunOptions, text, textOf } from "../../test/host/storage-run.ts";
import { openStore } from "../store/store.node.ts";
import { ownFilesDriver } from "./file.node.ts";
import { hold, holdByPath } from "./held.node.ts";
import { openParts, sweepParts } from "./parts.node.ts";
import { Quota } from "./quota.ts";
import { openStorage } from "./storage.node.ts";

let folder: string;
let run: ReturnType<typeof openRuns>;
let close: () => Promise<void>;
/** The host's own folder, which no UDF sees. */
let host: string;
/** What `file://` is granted for. */
let granted: string;
let outside: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "storage-")));
  [host, granted, outside] = ["host", "granted", "outside"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [host, granted, outside]) mkdirSync(each);
  writeFileSync(join(outside, "secret"), "secret");
  const storage = openStorage({ dataFolder: host });
  close = storage.close;
  run = openRuns(storage.drivers);
});
afterEach(async () => {
  run.end();
  await close();
  await expect.poll(openHere).toEqual([]);
  rmSync(folder, { recursive: true });
});

/** What this process has open in the folder. */
const openHere = () =>
  readdirSync("/proc/self/fd")
    .map((name) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`);
      } catch {
        return "";
      }
    })
    .filter((path) => path.startsWith(folder));

const own = (...parts: string[]) => join(host, "files", "me", ...parts);
/** A run that may use the granted folder, and no other. */
const grantedRun = (more: RunOptions["permissions"] = {}) =>
  run({ permissions: { read: [granted], write: [granted], ...more } });
const entries = async (listing: Promise<{ entries: { url: string }[] }>) =>
  (await listing).entries.map(({ url }) => url);
const denial = (permission: string, value: string) =>
  expect.objectContaining({ name: "PermissionDeniedError", permission, value });
const failure = (code: string) => expect.objectContaining({ name: "StorageError", code });

describe.each(["fd", "file"])("%s://", (scheme) => {
  test.each(Object.entries(storageCases))("%s", async (_name, body) => {
    await body({ run, base: scheme === "fd" ? "fd://case" : `file://${granted}/case` });
  });
});

describe("fd://", () => {
  test("principals have folders of their own, whatever their names are", async () => {
    const names = ["me", "you", "Me", "../me", "me/../you", "a".repeat(300), "you ", "~x", ".", ""];
    for (const [i, principal] of names.entries()) await run({ principal }).put("fd://a", text(`${i}`));
    for (const [i, principal] of names.entries())
      expect(textOf(await run({ principal }).get("fd://a"))).toBe(`${i}`);
    expect(new Set(readdirSync(join(host, "files"))).size).toBe(names.length);
    expect(readdirSync(folder).sort()).toEqual(["granted", "host", "outside"]);
  });

  test("files and folders are the owner's alone", async () => {
    await run().put("fd://a/b", text("1"));
    expect(statSync(own("a", "b")).mode & 0o777).toBe(0o600);
    expect(statSync(own("a")).mode & 0o777).toBe(0o700);
    expect(statSync(own()).mode & 0o777).toBe(0o700);
  });

  test("a link leads nowhere but into the folder", async () => {
    const storage = run();
    await storage.put("fd://data/a", text("a"));
    symlinkSync(own("data"), own("inside"));
    symlinkSync(outside, own("out"));
    symlinkSync(join(outside, "secret"), own("file"));
    symlinkSync("../../../outside/secret", own("relative"));
    symlinkSync("/proc/self/environ", own("environ"));
    symlinkSync(own("nothing"), own("dangling"));
    expect(textOf(await storage.get("fd://inside/a"))).toBe("a");
    for (const url of ["fd://out/secret", "fd://file", "fd://relative", "fd://environ"]) {
      for (const method of ["get", "details", "open"] as const)
        await expect(storage[method](url)).rejects.toEqual(failure("access"));
    }
    await expect(storage.get("fd://dangling")).rejects.toEqual(failure("not found"));
    await expect(storage.list("fd://out/")).rejects.toEqual(failure("access"));
    await expect(storage.put("fd://out/new", text("1"))).rejects.toEqual(failure("access"));
    await expect(storage.put("fd://out/deep/new", text("1"))).rejects.toEqual(failure("access"));
    await expect(storage.delete("fd://out/secret")).rejects.toEqual(failure("access"));
    expect(await entries(storage.list("fd://"))).toEqual(["fd://data/", "fd://inside/"]);
    expect(await entries(storage.list("fd://", { recursive: true }))).toEqual(["fd://data/a"]);
    expect(readdirSync(outside)).toEqual(["secret"]);
  });

  test("a link to another place asks for that place", async () => {
    await run().put("fd://secret/a", text("a"));
    mkdirSync(own("open"));
    symlinkSync(own("secret"), own("open", "link"));
    const some = run({ permissions: { read: ["fd://open"] } });
    await expect(some.get("fd://open/link/a")).rejects.toEqual(denial("read", "fd://secret/a"));
    expect(await entries(some.list("fd://open"))).toEqual([]);
    const both = run({ permissions: { read: ["fd://open", "fd://secret"] } });
    expect(textOf(await both.get("fd://open/link/a"))).toBe("a");
    expect(both.decisions.map(({ value }) => value)).toEqual(["fd://open/link/a", "fd://secret/a"]);
  });

  test("what is written over a link takes its place, and not that of its target", async () => {
    const storage = run();
    await storage.put("fd://a", text("a"));
    symlinkSync(join(outside, "secret"), own("link"));
    await expect(storage.put("fd://link", text("mine"), { ifNoneMatch: true })).rejects.toEqual(
      failure("exists"),
    );
    await storage.put("fd://link", text("mine"));
    expect(textOf(await storage.get("fd://link"))).toBe("mine");
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
  });

  test("a link is deleted, and not what it leads to", async () => {
    const storage = run();
    await storage.put("fd://f/a", text("a"));
    symlinkSync(outside, own("f", "out"));
    symlinkSync(outside, own("out"));
    expect(await storage.delete("fd://out/")).toBe(true);
    expect(await storage.delete("fd://f/")).toBe(true);
    expect(readdirSync(own())).toEqual([]);
    expect(readdirSync(outside)).toEqual(["secret"]);
  });

  test("signs with what the host gives, and else says that it cannot", async () => {
    await expect(run().sign("fd://a")).rejects.toEqual(failure("config"));
    const store = openStore({ path: join(host, "usage.db") });
    const signing = openRuns({
      fd: ownFilesDriver({
        folder: join(host, "files"),
        parts: openParts(join(host, "parts")),
        quota: new Quota({ quota: {}, store }),
        sign: async ({ value }, { method, expiresSeconds }) => `${method} ${value} ${expiresSeconds}`,
      }),
    })();
    expect(await signing.sign("fd://a b")).toBe("GET fd://a b 3600");
    await signing.put("fd://f/a", text("1"));
    expect(await signing.signPrefix("fd://f/", { expiresSeconds: 5 })).toEqual({ "f/a": "GET fd://f/a 5" });
    await store.close();
  });
});

describe("file:///mount on a server", () => {
  const served = {
    sign: async ({ value }: { value: string }, _options: unknown, owner: string) => `${value} of ${owner}`,
    mountOf: async (owner: string) => join(host, "mount", owner === "me" ? "team" : "others"),
  };

  test("is a folder of the owner's team, which a run needs a grant for, and has a quota", async () => {
    const storage = openStorage({ dataFolder: host, served, quota: { bytes: 10 } });
    const runs = openRuns(storage.drivers);
    await expect(runs({ permissions: {} }).get("file:///mount/a")).rejects.toEqual(
      denial("read", "/mount/a"),
    );
    const some = runs({ permissions: { read: ["/mount/a"], write: ["/mount"] } });
    await some.put("file:///mount/a/b", text("1"));
    expect(textOf(await some.get("/mount/a/b"))).toBe("1");
    expect(readFileSync(join(host, "mount", "team", "a", "b"), "utf8")).toBe("1");
    await expect(some.get("file:///mount/c")).rejects.toEqual(denial("read", "/mount/c"));
    await expect(some.put("file:///mount/c", text("more than ten"))).rejects.toEqual(failure("full"));
    await expect(some.delete("file:///mount", { maxDeletionDepth: "unlimited" })).rejects.toEqual(
      failure("request"),
    );
    expect(await some.sign("file:///mount/a/b")).toBe("/mount/a/b of me");
    runs.end();
    await storage.close();
  });

  test("is never what this machine has there, and leads to no other folder", async () => {
    const storage = openStorage({ dataFolder: host, served });
    const runs = openRuns(storage.drivers);
    const all = runs({ permissions: { read: true, write: true } });
    await all.put("file:///mount/a", text("1"));
    symlinkSync("/mount", join(granted, "mount"));
    symlinkSync(join(outside, "secret"), join(host, "mount", "team", "link"));
    for (const path of [`file://${granted}/mount/a`, "file:///mount/link", `file://${host}/mount/team/a`])
      await expect(all.get(path), path).rejects.toThrow(/^Cannot/);
    expect((await all.list("file:///mount")).entries.map(({ url }) => url)).toEqual(["file:///mount/a"]);
    runs.end();
    await storage.close();
  });
});

describe("file://", () => {
  test("a link out of what is granted is refused, one to what is granted as well is not", async () => {
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "a"), "other");
    symlinkSync(outside, join(granted, "out"));
    symlinkSync(other, join(granted, "other"));
    const storage = run({ permissions: { read: [granted, other], write: [granted] } });
    await expect(storage.get(`${granted}/out/secret`)).rejects.toEqual(denial("read", `${outside}/secret`));
    await expect(storage.details(`${granted}/out/secret`)).rejects.toEqual(
      denial("read", `${outside}/secret`),
    );
    await expect(storage.list(`${granted}/out/`)).rejects.toEqual(denial("read", outside));
    await expect(storage.put(`${granted}/out/x/y`, text("1"))).rejects.toEqual(
      denial("write", `${outside}/x/y`),
    );
    await expect(storage.delete(`${granted}/out/secret`)).rejects.toEqual(
      denial("write", `${outside}/secret`),
    );
    expect(textOf(await storage.get(`file://${granted}/other/a`))).toBe("other");
    expect(await entries(storage.list(`file://${granted}`))).toEqual([`file://${granted}/other/`]);
    expect(readdirSync(outside)).toEqual(["secret"]);
  });

  test("a deny rule holds under every name of a place", async () => {
    mkdirSync(join(granted, "secret"));
    writeFileSync(join(granted, "secret", "a"), "a");
    symlinkSync(join(granted, "secret"), join(granted, "link"));
    const byName = grantedRun({ deny: { read: [`${granted}/secret`], write: [`${granted}/secret`] } });
    const byLink = grantedRun({ deny: { read: [`${granted}/link`] } });
    for (const storage of [byName, byLink]) {
      await expect(storage.get(`${granted}/link/a`)).rejects.toThrow(/is denied/);
      await expect(storage.get(`${granted}/secret/a`)).rejects.toThrow(/is denied/);
      expect(await entries(storage.list(granted, { recursive: true }))).toEqual([]);
    }
    await expect(byName.put(`${granted}/link/b`, text("1"))).rejects.toThrow(/is denied/);
    await expect(byName.delete(granted, { maxDeletionDepth: "unlimited" })).rejects.toThrow(/is denied/);
    expect(readFileSync(join(granted, "secret", "a"), "utf8")).toBe("a");
  });

  test("the host's own folders are closed to whoever may do all", async () => {
    await run().put("fd://mine", text("1"));
    writeFileSync(join(host, "grants.json"), "{}");
    symlinkSync(host, join(granted, "link"));
    const storage = run();
    for (const path of [`${host}/grants.json`, `${granted}/link/grants.json`, `${host}/files/you/a`]) {
      await expect(storage.get(path)).rejects.toEqual(failure("access"));
      await expect(storage.put(path, text("2"))).rejects.toEqual(failure("access"));
    }
    await expect(storage.list(`${host}/`)).rejects.toEqual(failure("access"));
    await expect(storage.delete(`${host}/grants.json`)).rejects.toEqual(failure("access"));
    await expect(storage.delete(`${folder}/`, { maxDeletionDepth: "unlimited" })).rejects.toEqual(
      failure("access"),
    );
    await expect(storage.delete("file:///", { maxDeletionDepth: "unlimited" })).rejects.toEqual(
      failure("access"),
    );
    expect(await entries(storage.list(folder))).toEqual([`file://${granted}/`, `file://${outside}/`]);
    expect(await entries(storage.list(folder, { recursive: true }))).toEqual([`file://${outside}/secret`]);
    expect(readFileSync(join(host, "grants.json"), "utf8")).toBe("{}");
  });

  test.each([
    "/proc/self/environ",
    "/proc/self/mem",
    "/proc/1/cmdline",
    "/dev/null",
    "/dev/zero",
    "/sys/kernel/notes",
  ])("%s is no file of the storage", async (path) => {
    symlinkSync(path, join(granted, "link"));
    for (const url of [path, `${granted}/link`]) {
      await expect(run().get(url)).rejects.toEqual(failure("access"));
      await expect(run().open(url)).rejects.toEqual(failure("access"));
      await expect(run().details(url)).rejects.toEqual(failure("access"));
    }
    await expect(run().put(path, text("1"))).rejects.toEqual(failure("access"));
  });

  test("/proc/self/root and /proc/self/cwd are no way around", async () => {
    symlinkSync("/proc/self/root", join(granted, "root"));
    symlinkSync("/proc/self/cwd", join(granted, "cwd"));
    const storage = grantedRun();
    await expect(storage.get(`${granted}/root/etc/passwd`)).rejects.toEqual(denial("read", "/etc/passwd"));
    await expect(storage.list(`${granted}/cwd/`)).rejects.toEqual(denial("read", process.cwd()));
  });

  test("pipes, folders and sockets are no files, and nobody waits for them", async () => {
    const { status } = (await import("node:child_process")).spawnSync("mkfifo", [join(granted, "pipe")]);
    expect(status).toBe(0);
    const storage = grantedRun();
    await expect(storage.get(`${granted}/pipe`)).rejects.toEqual(failure("request"));
    await expect(storage.get(granted)).rejects.toEqual(failure("request"));
    await expect(storage.details(`${granted}/pipe`)).rejects.toEqual(failure("not found"));
    expect(await entries(storage.list(granted))).toEqual([]);
  });

  test("a hard link is the file itself: nobody can tell them apart", async () => {
    linkSync(join(outside, "secret"), join(granted, "hard"));
    expect(textOf(await grantedRun().get(`${granted}/hard`))).toBe("secret");
  });

  test("loops of links end", async () => {
    symlinkSync(join(granted, "b"), join(granted, "a"));
    symlinkSync(join(granted, "a"), join(granted, "b"));
    symlinkSync(granted, join(granted, "self"));
    const storage = grantedRun();
    await expect(storage.get(`${granted}/a`)).rejects.toEqual(failure("access"));
    expect(await entries(storage.list(granted, { recursive: true }))).toEqual([]);
  });

  test("errors name no path but the one that was asked with", async () => {
    symlinkSync(join(outside, "none"), join(granted, "link"));
    const message = await grantedRun()
      .get(`${granted}/link`)
      .catch((error: Error) => error.message);
    expect(message).toBe(`Cannot read file://${granted}/link: it is not there`);
  });
});

describe("retargeted while it is used", () => {
  /** Exchanges two names as fast as it can, in a thread of its own, so that each step of the host can meet each state. */
  const flipping = async (a: string, b: string, work: () => Promise<void>) => {
    const stop = new SharedArrayBuffer(4);
    const program = `
      const { renameSync } = require("node:fs");
      const { workerData: { a, b, stop } } = require("node:worker_threads");
      const flag = new Int32Array(stop);
      require("node:worker_threads").parentPort.postMessage("begun");
      while (Atomics.load(flag, 0) === 0) {
        for (const [from, to] of [[a, a + ".x"], [b, a], [a, b], [a + ".x", a]])
          try { renameSync(from, to); } catch {}
      }`;
    const worker = new Worker(program, { eval: true, workerData: { a, b, stop } });
    await once(worker, "message");
    try {
      await work();
    } finally {
      Atomics.store(new Int32Array(stop), 0, 1);
      await once(worker, "exit");
    }
  };

  beforeEach(() => {
    mkdirSync(join(granted, "dir"));
    writeFileSync(join(granted, "dir", "secret"), "public");
    symlinkSync(outside, join(granted, "link"));
  });

  test("a folder that becomes a link is not read through", async () => {
    const storage = grantedRun();
    const seen = new Map<string, number>();
    await flipping(join(granted, "dir"), join(granted, "link"), async () => {
      for (let i = 0; i < 1500; i++) {
        const got = await storage
          .get(`${granted}/dir/secret`)
          .then(textOf, (error: { name: string }) => error.name);
        seen.set(got, (seen.get(got) ?? 0) + 1);
      }
    });
    expect(seen.has("secret")).toBe(false);
    // Both states were met.
    expect(seen.get("public")).toBeGreaterThan(0);
    expect(seen.get("PermissionDeniedError")).toBeGreaterThan(0);
  });

  test("a control: reading by path, after looking, is caught", async () => {
    let caught = 0;
    await flipping(join(granted, "dir"), join(granted, "link"), async () => {
      for (let i = 0; i < 20_000 && caught === 0; i++) {
        try {
          const path = join(granted, "dir", "secret");
          if (realpathSync(path).startsWith(granted) && readFileSync(path, "utf8") === "secret") caught++;
        } catch {
          // Nothing has the name now.
        }
      }
    });
    expect(caught).toBe(1);
  });

  test("nothing is written, deleted or listed through it", async () => {
    const storage = grantedRun();
    await flipping(join(granted, "dir"), join(granted, "link"), async () => {
      for (let i = 0; i < 60; i++) {
        const names = await entries(storage.list(`${granted}/dir/`, { recursive: true })).catch(() => []);
        expect(names.filter((name) => name.endsWith("only-outside"))).toEqual([]);
        await storage.put(`${granted}/dir/new`, text("1")).catch(() => {});
        await storage.put(`${granted}/dir/deep/er/new`, text("1")).catch(() => {});
        await storage.delete(`${granted}/dir/secret`).catch(() => {});
        await storage.delete(`${granted}/dir/`).catch(() => {});
        if (i === 0) writeFileSync(join(outside, "only-outside"), "1");
      }
    });
    expect(readdirSync(outside).sort()).toEqual(["only-outside", "secret"]);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
  });

  test("a file that is open stays what it was", async () => {
    const storage = grantedRun();
    const { file } = await storage.open(`${granted}/dir/secret`);
    renameSync(join(granted, "dir"), join(granted, "old"));
    symlinkSync(outside, join(granted, "dir"));
    expect(textOf(await storage.read(file, 0, 6))).toBe("public");
  });

  test("an upload ends in the folder that it began in", async () => {
    const storage = grantedRun();
    const upload = await storage.openWrite(`${granted}/dir/new`);
    await storage.writePart(upload, text("1"));
    renameSync(join(granted, "dir"), join(granted, "old"));
    symlinkSync(outside, join(granted, "dir"));
    await storage.commitWrite(upload);
    expect(readFileSync(join(granted, "old", "new"), "utf8")).toBe("1");
    expect(readdirSync(outside)).toEqual(["secret"]);
  });
});

describe("files that are being written", () => {
  test("are not listed, not read, not deleted, and have no name that can be asked for", async () => {
    const storage = run();
    const upload = await storage.openWrite("fd://f/a");
    await storage.writePart(upload, text("half"));
    const [part] = readdirSync(own("f")) as [string];
    expect(part).toMatch(/^\.fuselet-[0-9a-f]{32}\.part$/);
    expect(await entries(storage.list("fd://f/"))).toEqual([]);
    for (const name of [part, part.toUpperCase()]) {
      await expect(storage.get(`fd://f/${name}`)).rejects.toEqual(failure("request"));
      await expect(storage.put(`fd://f/${name}`, text("1"))).rejects.toEqual(failure("request"));
      await expect(storage.delete(`fd://f/${name}`)).rejects.toEqual(failure("request"));
    }
    await storage.commitWrite(upload);
    expect(readdirSync(own("f"))).toEqual(["a"]);
    expect(readdirSync(join(host, "parts"))).toEqual([]);
  });

  test("leave nothing behind when they are given up, or the run ends", async () => {
    const storage = run();
    const given = await storage.openWrite("fd://a");
    await storage.abortWrite(given);
    await storage.openWrite("fd://b");
    storage.end();
    await expect.poll(() => [...readdirSync(own()), ...readdirSync(join(host, "parts"))]).toEqual([]);
  });

  test("of a process that was killed cannot be seen, and are removed an hour later", async () => {
    const program = `
      import { openRuns, text } from ${JSON.stringify(join(import.meta.dirname, "../../test/host/storage-run.ts"))};
      import { openStorage } from ${JSON.stringify(join(import.meta.dirname, "storage.node.ts"))};
      const storage = openRuns(openStorage({ dataFolder: ${JSON.stringify(host)} }).drivers)();
      for (const name of ["a", "b"]) await storage.writePart(await storage.openWrite("fd://" + name), text("half"));
      console.log("written");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const storage = run();
    expect(await entries(storage.list("fd://"))).toEqual([]);
    const left = readdirSync(own());
    expect(left.length).toBe(2);
    await sweepParts(join(host, "parts"));
    expect(readdirSync(own()).length).toBe(2);
    const past = new Date(Date.now() - 61 * 60 * 1000);
    utimesSync(own(left[0] as string), past, past);
    await storage.put("fd://c", text("1"));
    expect(readdirSync(own()).sort()).toEqual([left[1], "c"].sort());
    expect(readdirSync(join(host, "parts"))).toEqual([left[1]]);
  });

  test("a note that names another file removes nothing", async () => {
    const name = `.fuselet-${"0".repeat(32)}.part`;
    mkdirSync(join(host, "parts"));
    const past = new Date(Date.now() - 61 * 60 * 1000);
    writeFileSync(join(host, "parts", name), join(outside, "secret"));
    writeFileSync(join(host, "parts", "other"), join(outside, "secret"));
    for (const each of [name, "other"]) utimesSync(join(host, "parts", each), past, past);
    await sweepParts(join(host, "parts"));
    expect(existsSync(join(outside, "secret"))).toBe(true);
  });

  test("what cannot be written says why, and leaves nothing", async () => {
    const storage = run();
    await storage.put("fd://a", text("1"));
    await expect(storage.put("fd://a/b", text("1"))).rejects.toEqual(failure("not found"));
    await storage.put("fd://f/a", text("1"));
    await expect(storage.put("fd://f", text("1"))).rejects.toEqual(failure("request"));
    await expect(storage.put(`fd://${"a".repeat(300)}`, text("1"))).rejects.toEqual(failure("request"));
    expect(readdirSync(own()).sort()).toEqual(["a", "f"]);
    expect(readdirSync(join(host, "parts"))).toEqual([]);
  });

  test("a full disk is told, and what was written is gone", async () => {
    // As large as a file may be on no file system.
    const { prlimit } = { prlimit: "ulimit -f 1024" };
    const program = `
      import { openRuns, pattern } from ${JSON.stringify(join(import.meta.dirname, "../../test/host/storage-run.ts"))};
      import { openStorage } from ${JSON.stringify(join(import.meta.dirname, "storage.node.ts"))};
      process.on("SIGXFSZ", () => {});
      const storage = openRuns(openStorage({ dataFolder: ${JSON.stringify(host)} }).drivers)();
      const upload = await storage.openWrite("fd://a");
      console.log(await storage.writePart(upload, pattern(8 * 1024 * 1024)).catch((error) => error.code));
      console.log(await storage.commitWrite(upload).catch((error) => error.code));`;
    const child = spawn(
      "/bin/sh",
      ["-c", `${prlimit} && exec "$0" "$@"`, process.execPath, "--input-type=module", "-e", program],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let output = "";
    child.stdout.on("data", (bytes) => (output += bytes));
    await once(child, "close");
    expect(output).toBe("full\nrequest\n");
    expect(readdirSync(own())).toEqual([]);
  });
});

describe("hold()", () => {
  test.each([
    ["by handle", hold],
    ["by path", holdByPath],
  ])("%s, knows the real path and reads that file", async (_way, holding) => {
    symlinkSync(outside, join(granted, "out"));
    const held = await holding(join(granted, "out", "secret"), {});
    expect(held.real).toBe(join(outside, "secret"));
    const file = await held.openToRead();
    expect(await file.readFile("utf8")).toBe("secret");
    await file.close();
    await held.close();
    await expect(holding(join(granted, "out"), { followLink: false })).rejects.toMatchObject({
      code: "ELOOP",
    });
    await expect(holding(join(outside, "secret"), { folder: true })).rejects.toMatchObject({
      code: "ENOTDIR",
    });
  });

  test("by path, finds out when another file has the name", async () => {
    const held = await holdByPath(join(outside, "secret"), {});
    writeFileSync(join(outside, "other"), "other");
    renameSync(join(outside, "other"), join(outside, "secret"));
    await expect(held.openToRead()).rejects.toMatchObject({ code: "ELOOP" });
    await expect(held.verify()).rejects.toThrow();
    await held.close();
  });

  test("by handle, a deleted file is not there, and one with such a name is", async () => {
    const path = join(outside, "a (deleted)");
    writeFileSync(path, "1");
    const held = await hold(path);
    expect(held.real).toBe(path);
    await held.close();
    unlinkSync(path);
    await expect(hold(path)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

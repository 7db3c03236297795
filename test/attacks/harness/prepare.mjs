/** What somebody else does to an attack's surroundings, by name. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";

/** @returns a function that ends it: it may go on while a run lasts */
export async function prepare(name, around) {
  if (name === undefined) return async () => {};
  if (!Object.hasOwn(PREPARATIONS, name)) throw new Error(`Nobody knows how to prepare ${name}`);
  return (await PREPARATIONS[name](around)) ?? (async () => {});
}

const PREPARATIONS = {
  /** Links in the granted folder that lead to the canaries. */
  links({ world: { granted }, target: { canary, folder } }) {
    symlinkSync(canary, join(granted, "file"));
    symlinkSync(folder, join(granted, "folder"));
    symlinkSync("file", join(granted, "chain"));
    symlinkSync(folder, join(granted, ".hidden"));
    symlinkSync(folder, join(granted, "below", "up"));
    symlinkSync(join(folder, "planted"), join(granted, "dangling"));
    symlinkSync("circle", join(granted, "circle"));
  },

  "system-links"({ world: { granted } }) {
    symlinkSync("/proc/self/environ", join(granted, "environ"));
    symlinkSync("/proc/self/root", join(granted, "root"));
    symlinkSync("/proc", join(granted, "once"));
    symlinkSync("once", join(granted, "twice"));
  },

  /** A file, and a folder, that are now themselves and now links to the canaries'. */
  "swap-file": ({ world: { granted }, target: { canary, folder } }) => {
    mkdirSync(join(granted, "real-folder"));
    writeFileSync(join(granted, "real-folder", "canary"), "inside");
    return swap([
      [join(granted, "swapped"), join(granted, "inside"), canary],
      [join(granted, "swapped-folder"), join(granted, "real-folder"), folder],
    ]);
  },

  "swap-folder": ({ world: { granted }, target: { folder } }) => {
    mkdirSync(join(granted, "real"));
    return swap([[join(granted, "swapped"), join(granted, "real"), folder]]);
  },

  async pipes({ world: { granted } }) {
    spawnSync("mkfifo", [join(granted, "pipe")]);
    symlinkSync("pipe", join(granted, "link"));
    // A socket's path has at most 107 characters: it is moved to where it is to be.
    const server = createServer().listen(join(granted, "socket"));
    await once(server, "listening");
    return async () => {
      server.close();
      // Whoever still waits for the pipe's other end gets it.
      closeSync(openSync(join(granted, "pipe"), constants.O_RDWR | constants.O_NONBLOCK));
    };
  },

  /** What the host keeps, and a way into it. */
  "host-files"({ world: { granted, data, cache } }) {
    mkdirSync(join(cache, "results"), { recursive: true });
    mkdirSync(join(data, "files", "somebody"), { recursive: true });
    const own = [
      join(cache, "results", "key"),
      join(cache, "key"),
      join(data, "grants.json"),
      join(data, "files", "somebody", "secret"),
    ];
    for (const file of own) writeFileSync(file, "0".repeat(32), { flag: "a", mode: 0o600 });
    symlinkSync(data, join(granted, "host"));
    symlinkSync(join(data, "grants.json"), join(granted, "grants"));
    return async () => rmSync(join(data, "grants.json"), { force: true });
  },

  "denied-files"({ world: { granted } }) {
    for (const name of ["Secr\u00e9t", "Secre\u0301t"]) {
      mkdirSync(join(granted, name));
      writeFileSync(join(granted, name, "canary"), "denied");
    }
    symlinkSync("Secr\u00e9t", join(granted, "link"));
    symlinkSync("Secr\u00e9t/canary", join(granted, "file"));
  },
};

/** Whoever can write to the host's folders, and has not the key. Careless bindings keep theirs in `naive-*`. */
function entriesOf({ world: { cache } }, edit) {
  const file = join(cache, "results", "cache.db");
  if (!existsSync(file)) return;
  const db = new DatabaseSync(file);
  const records = db
    .prepare("SELECT key, value, bytes FROM records WHERE collection = 'cache.entries'")
    .all()
    .map(({ key, value, bytes }) => ({ key, value: JSON.parse(value), bytes }));
  edit(records);
  const update = db.prepare(
    "UPDATE records SET value = ?, bytes = ? WHERE collection = 'cache.entries' AND key = ?",
  );
  for (const { key, value, bytes } of records) update.run(JSON.stringify(value), bytes, key);
  db.close();
}

/** Files of a folder, those of equal size beside each other. */
function filesOf(folder) {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
  return files.sort((a, b) => statSync(a).size - statSync(b).size);
}

function swapFiles(folder) {
  const files = filesOf(folder);
  for (let i = 0; i + 1 < files.length; i += 2) {
    renameSync(files[i], `${files[i]}.swap`);
    renameSync(files[i + 1], files[i]);
    renameSync(`${files[i]}.swap`, files[i + 1]);
  }
}

Object.assign(PREPARATIONS, {
  "swap-bodies"(around) {
    swapFiles(join(around.world.cache, "results", "bodies"));
    swapFiles(join(around.world.cache, "naive-results"));
  },
  "swap-records": (around) =>
    entriesOf(around, (records) => {
      for (let i = 0; i < records.length; i++) {
        const j = records.findIndex((other, k) => k > i && other.value.size === records[i].value.size);
        if (j < 0) continue;
        const [one, two] = [records[i], records[j]];
        [one.value, two.value, one.bytes, two.bytes] = [two.value, one.value, two.bytes, one.bytes];
      }
    }),
  "point-at-bodies": (around) =>
    entriesOf(around, (records) => {
      const bodies = records.filter(({ value }) => value.blob !== "");
      for (const { value } of bodies) value.blob = bodies[0].value.blob;
    }),
  "forge-bodies"(around) {
    entriesOf(around, (records) => {
      for (const record of records)
        if (record.bytes) record.bytes = Buffer.from("forged".padEnd(record.bytes.length));
    });
    for (const folder of [
      join(around.world.cache, "results", "bodies"),
      join(around.world.cache, "naive-results"),
    ])
      for (const file of filesOf(folder)) writeFileSync(file, "forged".padEnd(statSync(file).size));
  },
  "forge-formats": (around) =>
    entriesOf(around, (records) => {
      for (const { value } of records) value.format = "pickle";
    }),
  "forge-dates": (around) =>
    entriesOf(around, (records) => {
      for (const { value } of records)
        Object.assign(value, { createdAtMs: Date.now() + 1000, maxAgeMs: 1e15 });
    }),
  "forge-seals": (around) =>
    entriesOf(around, (records) => {
      for (const record of records) {
        if (record.bytes) record.bytes = Buffer.from("forged".padEnd(record.bytes.length));
        record.value.seal = ["", "AAAA", "a".repeat(43), null, 1, {}][records.indexOf(record) % 6];
      }
    }),
  "forge-blob-paths": (around) =>
    entriesOf(around, (records) => {
      for (const { value } of records) Object.assign(value, { blob: "../key", size: 32 });
    }),
  "tamper-downloads": ({ world }) =>
    tamper(world, (file, bytes) => writeFileSync(file, bytes, { flag: "r+" })),
  "replace-downloads": ({ world }) =>
    tamper(world, (file, bytes) => {
      rmSync(file);
      writeFileSync(file, bytes);
    }),
});

/** Changes each kept `hello`, and sets its dates back. */
function tamper({ cache, naiveDownloads }, write) {
  for (const file of [join(cache, "downloads"), naiveDownloads].flatMap(filesOf)) {
    const { size, atime, mtime } = statSync(file);
    if (size !== 5) continue;
    write(file, "HELLO");
    utimesSync(file, atime, mtime);
  }
}

/** Makes each path a link, again and again, now to what it may be, now to what it may not, from a thread of its own. */
async function swap(paths) {
  const worker = new Worker(
    `const { workerData } = require("node:worker_threads");
     const { renameSync, symlinkSync } = require("node:fs");
     const turn = () => {
       for (let i = 0; i < 200; i++)
         for (const [path, ...targets] of workerData)
           for (const target of targets) {
             symlinkSync(target, path + ".new");
             renameSync(path + ".new", path);
           }
       setImmediate(turn);
     };
     turn();`,
    { eval: true, workerData: paths },
  );
  worker.on("error", () => {});
  await once(worker, "online");
  return () => worker.terminate();
}

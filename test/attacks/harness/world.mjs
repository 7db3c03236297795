/**
 * What attacks on grants have around them: servers, names, folders, and runtimes to which everything is granted, so that the
 * permissions of each run are the wall.
 */
import dns from "node:dns/promises";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostileServer } from "./hostile-server.mjs";
import { naiveBindings } from "./naive-bindings.mjs";

export const ALL = {
  net: true,
  read: true,
  write: true,
  cache: true,
  secrets: true,
  run: true,
  import: true,
};
const POOL = { maxIsolates: 3, spares: 1 };

/** Names below `.test`, in place of the system's look-up: each look-up takes a name's next list of addresses, round and round. */
class Names {
  #lists = new Map();
  #lookup = dns.lookup;

  install() {
    dns.lookup = (host, options) => {
      if (!host.endsWith(".test")) return this.#lookup(host, options);
      const lists = this.#lists.get(host);
      if (!lists) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
      lists.push(lists.shift());
      return Promise.resolve(
        lists.at(-1).map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
    };
    syncBuiltinESMExports();
  }

  set(names = {}) {
    this.#lists = new Map(Object.entries(names).map(([name, lists]) => [name, structuredClone(lists)]));
  }

  uninstall() {
    dns.lookup = this.#lookup;
    syncBuiltinESMExports();
  }
}

export class World {
  #folder = realpathSync(mkdtempSync(join(tmpdir(), "fuselet-attack-world-")));
  #context;
  #names = new Names();
  #runtimes = new Map();

  static async open(context) {
    const world = new World();
    world.#context = context;
    world.#names.install();
    world.server = await HostileServer.open();
    world.other = await HostileServer.open("127.0.0.1", "other");
    return world;
  }

  /** The host's own folders, and those that belong to an attack. */
  get cache() {
    return join(this.#folder, "cache");
  }
  get data() {
    return join(this.#folder, "data");
  }
  get granted() {
    return join(this.#folder, "granted");
  }

  get naiveDownloads() {
    return join(this.#folder, "naive-downloads");
  }

  /** For programs that are started. */
  get env() {
    return { ...process.env, FUSELET_CACHE: this.cache, FUSELET_DATA: this.data };
  }

  /** What an attack is told, beside its canaries. */
  get target() {
    return {
      server: `127.0.0.1:${this.server.port}`,
      other: `127.0.0.1:${this.other.port}`,
      granted: this.granted,
      data: this.data,
      cache: this.cache,
    };
  }

  /** Before each run: nothing was seen, and the granted folder has one file. */
  reset({ names } = {}) {
    this.#names.set(names);
    this.server.forget();
    this.other.forget();
    for (const folder of [this.granted, this.naiveDownloads, join(this.cache, "naive-results")])
      rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(this.granted, "below"), { recursive: true });
    writeFileSync(join(this.granted, "inside"), "inside");
    writeFileSync(join(this.granted, "below", "deeper"), "deeper");
  }

  /** @param kind `runtime`; `naive`, the same with careless bindings; `page` */
  runtime(kind) {
    let runtime = this.#runtimes.get(kind);
    if (!runtime) this.#runtimes.set(kind, (runtime = this.#open(kind)));
    return runtime;
  }

  #open(kind) {
    if (kind === "page") return this.#context.openPage({ permissions: ALL });
    const naive = () =>
      naiveBindings({
        data: this.data,
        downloads: this.naiveDownloads,
        results: join(this.cache, "naive-results"),
      });
    return this.create(kind === "naive" ? { host: naive() } : {});
  }

  /** A runtime in the world's folders. */
  async create(options) {
    const before = process.env.FUSELET_DATA;
    process.env.FUSELET_DATA = this.data;
    try {
      return await this.#context.createRuntime({
        permissions: ALL,
        limits: { timeMs: 20_000 },
        pool: POOL,
        assets: { cache: this.cache },
        ...options,
      });
    } finally {
      if (before === undefined) delete process.env.FUSELET_DATA;
      else process.env.FUSELET_DATA = before;
    }
  }

  async close() {
    for (const runtime of this.#runtimes.values()) await (await runtime).close?.();
    this.#names.uninstall();
    await Promise.all([this.server.close(), this.other.close()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Call } from "../host.ts";
import type { Permissions } from "../permissions/descriptor.ts";
import { placeholderOf, RunSecrets } from "../secrets/run-secrets.ts";
import { keepSecrets } from "../secrets/runs.ts";
import { type DownloadOptions, type DownloadRequest, download } from "./download.ts";
import { diskDownloads } from "./place.node.ts";
import { sha256OfParts } from "./sha256.ts";

const BODY = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251);
const ABOUT = { principal: "me", path: "a/b.bin", host: "example.org" };
const SHA = createHash("sha256").update(BODY).digest("hex");

let folder: string;
let server: Server;
let url: string;
let seen: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "download-"));
  seen = [];
  server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
  answer = serve();
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

/** Serves ranges, and breaks off after so many bytes as long as there are numbers left. */
const serve =
  (breaks: number[] = [], tag = '"v1"', body = BODY) =>
  (request: IncomingMessage, response: ServerResponse) => {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
    const from = range && request.headers["if-range"] === tag ? Number(range[1]) : 0;
    const rest = body.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      etag: tag,
      "content-length": rest.length,
      ...(from > 0 ? { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
    });
    const most = breaks.shift();
    if (most === undefined) return void response.end(rest);
    response.write(rest.subarray(0, most), () => setTimeout(() => response.destroy(), 20));
  };

/** Stands for the guarded fetch, which has tests of its own. */
const fetchPlain: DownloadOptions["fetch"] = async (target, headers, _timeout, { signal }) => {
  const response = await fetch(target, { headers, signal });
  const reader = response.body?.getReader();
  return {
    status: response.status,
    headers: [...response.headers],
    body: {
      read: async () => (await reader?.read())?.value ?? null,
      cancel: () => void reader?.cancel().catch(() => {}),
    },
  };
};

const queue = new Map<string, Promise<void>>();
const lock = async (key: string) => {
  const before = queue.get(key);
  const mine = Promise.withResolvers<void>();
  queue.set(key, mine.promise);
  await before;
  return async () => mine.resolve();
};

function tools(
  signal = new AbortController().signal,
  granted = true,
  sendsIfRange = true,
  permissions: Permissions = {},
  hash = "h",
) {
  const asked: string[] = [];
  const call = {
    principal: "me",
    udf: { name: "u", hash },
    permissions,
    signal,
    async require(permission: string, value: string) {
      asked.push(`${permission} ${value}`);
      if (!granted) throw new Error("denied");
    },
  } as unknown as Call;
  const options: DownloadOptions = {
    place: diskDownloads({ folder, lock }),
    fetch: fetchPlain,
    sha256: sha256OfParts,
    sendsIfRange,
  };
  const get = async (change: Partial<DownloadRequest> = {}) => {
    const file = await download(
      { url, path: "a/b.bin", sha256: null, timeoutMs: null, ...change },
      call,
      options,
    );
    const bytes = await file.read(0, file.size);
    await file.close();
    return Buffer.compare(bytes, BODY) === 0 ? "whole" : `other, ${bytes.length} bytes`;
  };
  return { get, asked };
}

test("a file is fetched once, and whoever comes later is asked for net all the same", async () => {
  const { get, asked } = tools();
  expect(await get()).toBe("whole");
  expect(await get()).toBe("whole");
  expect(await Promise.all([get(), get(), get()])).toEqual(["whole", "whole", "whole"]);
  expect(seen).toHaveLength(1);
  expect(asked).toHaveLength(5);
  await expect(tools(undefined, false).get()).rejects.toThrow("denied");
});

test("of several at once, one fetches", async () => {
  const { get } = tools();
  expect(await Promise.all(Array.from({ length: 8 }, () => get()))).toEqual(Array(8).fill("whole"));
  expect(seen).toHaveLength(1);
});

test("another URL, path or principal is another file", async () => {
  const { get } = tools();
  await get();
  await get({ url: `${url}?2` });
  await get({ path: "a/c.bin" });
  expect(seen).toHaveLength(3);
});

test("what broke off is taken up again where it ended", async () => {
  answer = serve([100_000, 50_000]);
  const { get } = tools();
  expect(await get()).toBe("whole");
  expect(seen.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=100000-", "bytes=150000-"]);
  expect(seen[1]?.headers["if-range"]).toBe('"v1"');
});

test("a later process takes up what an earlier one has left", async () => {
  answer = serve([100_000, 0]);
  await expect(tools().get()).rejects.toThrow();
  expect(readdirSync(folder).some((name) => name.endsWith(".data"))).toBe(false);
  answer = serve();
  expect(await tools().get()).toBe("whole");
  // How much of what was sent before the end has arrived is the machine's business.
  expect(seen.at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
});

test("where the file has changed meanwhile, or has no strong name, it is fetched from the start", async () => {
  answer = serve(
    [100_000, 0],
    '"old"',
    BODY.map((byte) => byte ^ 1),
  );
  await expect(tools().get()).rejects.toThrow();
  answer = serve([], '"new"');
  expect(await tools().get()).toBe("whole");
  answer = serve([100_000, 0], 'W/"weak"');
  await expect(tools().get({ path: "weak" })).rejects.toThrow();
  answer = serve([], 'W/"weak"');
  expect(await tools().get({ path: "weak" })).toBe("whole");
  expect(seen.at(-1)?.headers.range).toBeUndefined();
});

test("where a request may not have If-Range, the version of what comes is compared", async () => {
  const pageLike = () => tools(undefined, true, false);
  const withoutCondition =
    (tag: string, body = BODY, breaks: number[] = []) =>
    (request: IncomingMessage, response: ServerResponse) => {
      request.headers["if-range"] = tag;
      serve(breaks, tag, body)(request, response);
    };
  answer = withoutCondition('"v1"', BODY, [100_000, 0]);
  await expect(pageLike().get()).rejects.toThrow();
  answer = withoutCondition('"v1"');
  expect(await pageLike().get()).toBe("whole");
  expect(seen.at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  const old = BODY.map((byte) => byte ^ 1);
  answer = withoutCondition('"old"', old, [100_000, 0]);
  await expect(pageLike().get({ path: "changed" })).rejects.toThrow();
  answer = withoutCondition('"new"');
  expect(await pageLike().get({ path: "changed" })).toBe("whole");
  expect(seen.at(-1)?.headers.range).toBeUndefined();
});

test("a server that answers a range with another one, or with 416, is asked for all", async () => {
  answer = serve([100_000, 0]);
  await expect(tools().get()).rejects.toThrow();
  let lies = 2;
  const honest = serve();
  answer = (request, response) => {
    if (!request.headers.range) return honest(request, response);
    if (--lies > 0) return void response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("lies!");
    response.writeHead(416).end();
  };
  expect(await tools().get()).toBe("whole");
  answer = serve([100_000, 0]);
  await expect(tools().get({ path: "again" })).rejects.toThrow();
  answer = (request, response) =>
    request.headers.range ? void response.writeHead(416).end() : honest(request, response);
  expect(await tools().get({ path: "again" })).toBe("whole");
});

test("a server that never gets further is given up", async () => {
  answer = serve([10, 10, 10, 10, 10, 10, 10, 10]);
  await expect(tools().get()).rejects.toThrow();
  expect(seen).toHaveLength(5);
});

test("an error of the server leaves nothing, and the next call tries again", async () => {
  answer = (_, response) => void response.writeHead(404).end("not here");
  await expect(tools().get()).rejects.toThrow(`Cannot download ${url}: the server answered with status 404`);
  answer = serve();
  expect(await tools().get()).toBe("whole");
});

test("a checksum is held to, also for what is there already", async () => {
  const { get } = tools();
  expect(await get({ sha256: SHA })).toBe("whole");
  expect(await get({ sha256: SHA })).toBe("whole");
  expect(seen).toHaveLength(1);
  await expect(get({ sha256: "0".repeat(64) })).rejects.toThrow(
    `its SHA-256 is ${SHA}, expected ${"0".repeat(64)}. Nothing of it was kept`,
  );
  expect(await get({ sha256: SHA })).toBe("whole");
});

test("a damaged file is noticed by its checksum", async () => {
  const { get } = tools();
  await get();
  const [data] = readdirSync(folder).filter((name) => name.endsWith(".data"));
  writeFileSync(join(folder, data as string), "damaged");
  expect(await get({ sha256: SHA })).toBe("whole");
  expect(seen).toHaveLength(2);
  expect(readFileSync(join(folder, data as string))).toHaveLength(BODY.length);
});

test("a file that was changed in place, and has its old dates, is noticed by its checksum, as is a forged note", async () => {
  const { get } = tools();
  const file = (end: string) =>
    join(folder, readdirSync(folder).find((name) => name.endsWith(end)) as string);
  await get({ sha256: SHA });
  await get({ sha256: SHA });
  const { atime, mtime } = statSync(file(".data"));
  writeFileSync(file(".data"), new Uint8Array(BODY.length), { flag: "r+" });
  utimesSync(file(".data"), atime, mtime);
  expect(await get({ sha256: SHA })).toBe("whole");
  expect(seen).toHaveLength(2);
  const [, mac] = readFileSync(file(".sha256"), "utf8").split("\n");
  writeFileSync(file(".data"), new Uint8Array(BODY.length), { flag: "r+" });
  writeFileSync(file(".sha256"), `${SHA}\n${mac}`);
  expect(await get({ sha256: SHA })).toBe("whole");
  expect(seen).toHaveLength(3);
});

test("what one run was granted to follow is not there for a run with other grants", async () => {
  const withGrants = (permissions: Permissions) => tools(undefined, true, true, permissions).get();
  await withGrants({ net: ["a.example", "b.example"] });
  await withGrants({ net: ["a.example", "b.example"] });
  expect(seen).toHaveLength(1);
  await withGrants({ net: ["a.example"] });
  await withGrants({ net: ["a.example", "b.example"], deny: { net: ["b.example"] } });
  expect(seen).toHaveLength(3);
});

test("what was fetched with a secret is for runs of the same UDF that hold it, with the same grants", async () => {
  const placeholder = placeholderOf("0123456789abcdef".repeat(4));
  const change = { url: `${url}?key=${placeholder}` };
  const holding = (permissions: Permissions = { secrets: ["KEY"] }, hash = "h") => {
    const { signal } = new AbortController();
    const secrets = new RunSecrets();
    secrets.hide(placeholder, { name: "KEY", value: "the-value", hosts: true });
    keepSecrets(signal, secrets);
    return tools(signal, true, true, permissions, hash);
  };
  await holding().get(change);
  await holding().get(change);
  expect(seen).toHaveLength(1);
  await tools(undefined, true, true, { secrets: ["KEY"] }).get(change);
  await holding({ secrets: true }).get(change);
  await holding({ secrets: ["KEY"], deny: { secrets: ["OTHER"] } }).get(change);
  await holding({ secrets: ["KEY"] }, "other").get(change);
  expect(seen).toHaveLength(5);
  // A secret that is not in the URL has no part in it.
  await holding().get();
  await tools(undefined, true, true, { secrets: ["KEY"] }).get();
  expect(seen).toHaveLength(6);
});

test("the name of a download does not depend on a value that its run has seen, but on the secret's name", async () => {
  const seeing = (value: string, name = "KEY", hash = "h") => {
    const { signal } = new AbortController();
    const secrets = new RunSecrets();
    secrets.reveal(name, value);
    keepSecrets(signal, secrets);
    return tools(signal, true, true, { secrets: true }, hash);
  };
  const [one, other] = ["first-value+", "other-value+"];
  const query = (value: string) => ({
    url: `${url}?key=${encodeURIComponent(value)}`,
    path: `a/${value}.bin`,
  });
  const names = () => readdirSync(folder).filter((name) => name.endsWith(".data"));
  await seeing(one).get(query(one));
  const [before] = names();
  rmSync(join(folder, before as string));
  await seeing(other).get(query(other));
  expect(names()).toEqual([before]);
  // Nobody else meets it: not another secret, UDF or principal, nor one who has not seen it and writes the same.
  await seeing(one, "OTHER").get(query(one));
  await seeing(one, "KEY", "another").get(query(one));
  await tools(undefined, true, true, { secrets: true }).get({
    ...query("[secret KEY]3"),
    path: "a/[secret KEY]0.bin",
  });
  await tools(undefined, true, true, { secrets: true }).get(query(one));
  // The same value in another form is another URL.
  await seeing(one).get({ ...query(one), url: `${url}?key=${btoa(one)}` });
  expect(names().length).toBe(6);
  expect(seen).toHaveLength(7);
});

test("what is told of a download has no value that the run has seen", async () => {
  const { signal } = new AbortController();
  const secrets = new RunSecrets();
  secrets.reveal("KEY", "the-value");
  keepSecrets(signal, secrets);
  expect(await tools(signal).get({ path: "a/the-value.bin" })).toBe("whole");
  const told = readdirSync(folder).find((name) => name.endsWith(".about")) as string;
  expect(JSON.parse(readFileSync(join(folder, told), "utf8"))).toMatchObject({ path: "a/[secret KEY].bin" });
});

test("what is open stays what it was when the file is replaced", async () => {
  const { get } = tools();
  await get();
  const place = diskDownloads({ folder, lock });
  const [data] = readdirSync(folder).filter((name) => name.endsWith(".data"));
  const file = await place.find((data as string).replace(".data", ""), null);
  const partial = await place.resume((data as string).replace(".data", ""), ABOUT);
  await partial.append(Uint8Array.of(1, 2, 3));
  await partial.finish();
  await partial.close();
  expect(file?.size).toBe(BODY.length);
  expect(Buffer.compare((await file?.read(0, BODY.length)) as Uint8Array, BODY)).toBe(0);
  await file?.close();
});

test("a run that ends stops its download, and what has come stays", async () => {
  answer = (_, response) => {
    response.writeHead(200, { etag: '"v1"', "content-length": BODY.length });
    response.write(BODY.subarray(0, 120_000));
  };
  const controller = new AbortController();
  const running = tools(controller.signal).get();
  setTimeout(() => controller.abort(), 100);
  await expect(running).rejects.toThrow();
  answer = serve();
  expect(await tools().get()).toBe("whole");
  expect(seen.at(-1)?.headers.range).toBe("bytes=120000-");
});

test("the folder is bounded", async () => {
  const place = diskDownloads({ folder, lock, maxBytes: 1000 });
  for (const key of ["a", "b", "c"]) {
    const partial = await place.resume(key, ABOUT);
    await partial.append(new Uint8Array(600));
    await partial.finish();
    await partial.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(readdirSync(folder)).toEqual(["c.about", "c.data"]);
});

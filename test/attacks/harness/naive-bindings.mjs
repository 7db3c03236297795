/**
 * Bindings as a careless program writes them, for controls: they believe what a UDF says, look things up twice, follow where they are
 * led, and keep everything for everybody. They take the place of the host's own: `createRuntime({ host: naiveBindings(world) })`.
 */
import { lookup } from "node:dns/promises";
import { realpathSync } from "node:fs";
import { link, mkdir, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { setTimeout } from "node:timers/promises";

const PRIVATE = /^(127\.|10\.|192\.168\.|169\.254\.|::1$|::ffff:)/;

/** What it is careful about: the suite must go on, and whoever runs it must lose nothing. */
const MOST = 1024 * 1024;
const temporary = realpathSync(tmpdir());

/** Whether a path leads below the system's folder for temporary files; elsewhere a change is only answered. */
async function mayChange(path) {
  const real = await realpath(path).catch(() => null);
  if (real !== null) return real.startsWith(temporary + sep);
  const above = dirname(resolve(path));
  return above !== path && mayChange(above);
}

/** Sends what it was given, byte by byte, and reads until the answer's length or the end. */
function exchange({ host, port, text }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 100 });
    let got = "";
    const finish = () => {
      socket.destroy();
      resolve(got);
    };
    socket.on("connect", () => socket.setTimeout(2000));
    socket.on("error", reject).on("end", finish).on("timeout", finish);
    socket.on("data", (bytes) => {
      got += bytes.toString("latin1");
      const end = got.indexOf("\r\n\r\n");
      const length = /^content-length:\s*(\d+)/im.exec(got)?.[1];
      const isWhole = end >= 0 && length !== undefined && got.length >= end + 4 + Number(length);
      if (isWhole || got.length > MOST) finish();
    });
    socket.write(text, "latin1");
  });
}

async function requestOnce({ url, method, headers, body }) {
  const target = new URL(url.replace(/[\r\n].*/s, ""));
  const host = target.hostname.replace(/^\[|\]$/g, "");
  // It looks at a name's first address, and connects to whatever the name means a moment later.
  const [first] = await lookup(host, { all: true });
  if (host.endsWith(".test") && PRIVATE.test(first.address)) throw new Error("private");
  const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
  const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
  const bytes = body === null ? "" : Buffer.from(body).toString("latin1");
  const names = headers.map(([name]) => name.toLowerCase());
  const lines = [
    `${method} ${path.startsWith("/") ? path : "/"} HTTP/1.1`,
    ...(names.includes("host") ? [] : [`host: ${target.host}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(bytes === "" || names.includes("content-length") ? [] : [`content-length: ${bytes.length}`]),
  ];
  let failure;
  for (const address of addresses) {
    try {
      const got = await exchange({
        host: address,
        port: Number(target.port) || 80,
        text: `${lines.join("\r\n")}\r\n\r\n${bytes}`,
      });
      return read(got);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function read(text) {
  const end = text.indexOf("\r\n\r\n");
  const [line, ...fields] = text.slice(0, end).split("\r\n");
  const headers = fields.map((field) => [
    field.split(":")[0].toLowerCase(),
    field.slice(field.indexOf(":") + 1).trim(),
  ]);
  return { status: Number(line.split(" ")[1]), headers, body: Buffer.from(text.slice(end + 4), "latin1") };
}

/** As `fetch` of many a library does. */
async function readLocally(url) {
  const body = url.startsWith("file:") ? await readFile(new URL(url)) : Buffer.from(url.split(",")[1]);
  return { status: 200, headers: [], body };
}

async function fetchNaively(request) {
  let { url } = request;
  for (let redirects = 0; redirects < 200; redirects++) {
    const answer = /^(file|data):/.test(url)
      ? await readLocally(url)
      : await requestOnce({ ...request, url });
    const location = answer.headers.find(([name]) => name === "location")?.[1];
    if (location === undefined || request.redirect === "manual")
      return { url, statusText: "", redirected: redirects > 0, handle: null, ...answer };
    // Everything goes along.
    url = new URL(location, url).href;
  }
  throw new Error("It redirects for ever");
}

export function naiveBindings({ data, downloads, results }) {
  /** For everybody, by number and by key. */
  const files = [];
  const formats = new Map();
  const leases = [];
  let context;
  let last;
  let isPolluted = false;
  const parts = [];
  const ended = [];
  let started = 0;

  const pathOf = (url) => {
    const found = /^(?:fd:\/\/|file:\/\/)(.*)$/s.exec(decodeURIComponent(url));
    const path = (found?.[1] ?? url).replaceAll("\\", "/");
    return url.startsWith("fd:") ? join(data, path) : path;
  };

  const naive = {
    net: {
      fetch: ([request]) => fetchNaively(request),
      read: ([handle]) => files[handle] ?? null,
      close: () => null,
    },
    files: {
      read: ([number, position, length]) => files[number].subarray(position, position + length),
    },
    download: {
      // One name, one file, whoever asks, whatever the URL.
      async get([{ url, path }]) {
        const place = join(downloads, path);
        const found = await readFile(place).catch(() => null);
        const bytes =
          found ??
          (await fetchNaively({ url, method: "GET", headers: [], body: null, redirect: "follow" })).body;
        await mkdir(dirname(place), { recursive: true });
        await writeFile(place, bytes);
        return { file: files.push(bytes) - 1, size: bytes.length };
      },
    },
    storage: {
      get: async ([url]) => {
        if (!url.startsWith("http")) {
          // Looked at, and then read: in between somebody may have changed what the name leads to.
          await realpath(pathOf(url));
          return readFile(pathOf(url));
        }
        return (await fetchNaively({ url, method: "GET", headers: [], body: null, redirect: "follow" })).body;
      },
      async open([url]) {
        const bytes = await readFile(pathOf(url));
        return { file: files.push(bytes) - 1, size: bytes.length };
      },
      async list([url]) {
        const entries = await readdir(pathOf(url), { recursive: true });
        return { entries: entries.map((name) => ({ name, url: `${url}/${name}` })), next: null };
      },
      async details([url]) {
        return { size: (await readFile(pathOf(url))).length };
      },
      async put([url, bytes, options]) {
        const place = resolve(pathOf(url));
        if (!(await mayChange(place))) return null;
        await mkdir(dirname(place), { recursive: true });
        await writeFile(place, bytes, options?.ifNoneMatch ? { flag: "wx" } : {});
        return null;
      },
      openWrite: () => files.push(null) - 1,
      writePart: () => null,
      async delete([url]) {
        if (await mayChange(pathOf(url))) await rm(pathOf(url), { recursive: true, force: true });
        return true;
      },
      async sign([url]) {
        const copy = join(data, "signed");
        await link(pathOf(url), copy).catch(() => {});
        return copy;
      },
    },
    cache: {
      async begin([{ key, folder }]) {
        const file = join(results, encodeURIComponent(`${key}-${folder}`).slice(-200));
        const found = await readFile(file).catch(() => null);
        if (found) return { state: "hit", createdAtMs: Date.now(), format: formats.get(file), body: found };
        return { state: "compute", lease: leases.push(file) - 1 };
      },
      async commit([lease, { format, body }]) {
        formats.set(leases[lease], format);
        await mkdir(results, { recursive: true });
        await writeFile(leases[lease], body);
        return null;
      },
      abandon: () => null,
    },
    context: {
      // The last one that anybody had, and whatever it is told.
      get([wishes], { context: own, udf }) {
        if (own !== last && (Object.keys(own.headers).length > 0 || context === undefined))
          context = { ...own };
        last = own;
        return { ...Object.assign(context, wishes), udf };
      },
    },
    udfs: {
      // All at once, and kept until somebody asks for it; whoever has a text has what is kept for it.
      define([part]) {
        const whole = { language: "python", metadata: {}, ...part };
        return parts.push({ ...whole, part: { whole, of: "", entrypoint: part.entrypoint } }) - 1;
      },
      start: ([target, list], { run, context }) =>
        list.map((parameters) => {
          const id = ++started;
          run(parts[target], { parameters, context }).then(
            ({ raw }) => ended.push({ id, value: raw, failure: null, error: null }),
            () => {},
          );
          return id;
        }),
      async take() {
        while (ended.length === 0) await setTimeout(5);
        return ended.splice(0);
      },
      cancel: () => [],
    },
    careless: {
      /** Looks up names as they come. */
      call([name]) {
        const [binding, method] = name.split(".");
        const found = naive[binding][method];
        if (typeof found !== "function") throw new Error("no function");
        return null;
      },
      merge(objects) {
        const merge = (target, source) => {
          for (const key of Object.keys(source)) {
            if (source[key] === null || typeof source[key] !== "object") target[key] = source[key];
            else merge((target[key] ??= {}), source[key]);
          }
        };
        for (const each of objects) merge({}, each);
        isPolluted ||= "polluted" in {};
        // The suite itself must go on.
        for (const key of Object.keys(Object.prototype)) delete Object.prototype[key];
        return null;
      },
      isPolluted: () => isPolluted,
    },
  };
  return naive;
}

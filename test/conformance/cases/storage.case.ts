/** The storage on `fd://`, which every platform has: a principal's own files, as far as they are granted. */
import { type Case, type CaseSpec, defineCase } from "../case.ts";

/** A case's own folder, one in each language, so that no case meets another's files. */
const inFolder = (name: string, body: string): string => body.replaceAll("DIR", `fd://conformance/${name}`);

const python = (folder: string, body: string): string =>
  inFolder(
    `${folder}-python`,
    `import fused\nfrom fused._host import HostError, call\nfrom fused._storage import ask\n@fused.udf\ndef udf():\n    ${body.replaceAll("\n", "\n    ")}\n`,
  );
const typescript = (folder: string, body: string): string =>
  inFolder(
    `${folder}-typescript`,
    `import { download, host } from "fuselet/udf";\nconst ask = (method: string, ...args: unknown[]) => host.call("storage." + method, ...args) as Promise<any>;\nconst bytes = (text: string) => new TextEncoder().encode(text);\nexport default async () => {\n  ${body.replaceAll("\n", "\n  ")}\n};\n`,
  );

/** All that a principal has. */
const ALL = {
  permissions: { read: ["fd://"], write: ["fd://"] },
  needs: ["blockingCalls"],
} satisfies CaseSpec;

/** What is denied, whoever asks. */
const denied = (permission: "read" | "write", value: string) => ({
  name: "PermissionDeniedError",
  message: `Requires ${permission} access to "${value}": run again with --allow-${permission}=${value}`,
  permission,
  value,
  grant: `--allow-${permission}=${value}`,
  exitCode: 3,
});

/** A failure of the storage that nobody catches. */
const failed = (pythonClass: string, messageIn: (language: string) => string) => {
  const error = (type: string, language: string) => ({
    error: { name: "UdfRuntimeError", type, message: `${type}: ${messageIn(language)}` },
  });
  return { inPython: error(pythonClass, "python"), inTypeScript: error("StorageError", "typescript") };
};

export default [
  defineCase("a file is written, looked at, read, listed and deleted", {
    ...ALL,
    python: python(
      "whole",
      'ask("put", "DIR/a/b.txt", "é🌍".encode())\nentry = ask("details", "DIR/a/b.txt")\nlisted = ask("list", "DIR/")\nreturn [entry["name"], entry["isDirectory"], entry["size"], ask("get", "DIR/a/b.txt"), [e["name"] for e in listed["entries"]], listed["next"], ask("delete", "DIR/a/b.txt"), ask("delete", "DIR/a/b.txt"), ask("list", "DIR/a/")["entries"]]',
    ),
    typescript: typescript(
      "whole",
      'await ask("put", "DIR/a/b.txt", bytes("é🌍"));\nconst entry = await ask("details", "DIR/a/b.txt");\nconst listed = await ask("list", "DIR/");\nreturn [entry.name, entry.isDirectory, entry.size, await ask("get", "DIR/a/b.txt"), listed.entries.map((e: any) => e.name), listed.next, await ask("delete", "DIR/a/b.txt"), await ask("delete", "DIR/a/b.txt"), (await ask("list", "DIR/a/")).entries];',
    ),
    value: ["b.txt", false, 6, new TextEncoder().encode("é🌍"), ["a"], null, true, false, []],
  }),
  defineCase("the functions of `api` write, look at, read, list and delete", {
    ...ALL,
    typescript: inFolder(
      "api-typescript",
      'import { api } from "fuselet/udf";\nexport default async () => {\n  await api.upload("é🌍", "DIR/a/b.txt");\n  const large = new Uint8Array(9 * 2 ** 20).fill(7);\n  await api.upload(large, "DIR/large", { contentType: "text/plain" });\n  const { name, size } = await api.details("DIR/large");\n  const read = await api.get("DIR/large");\n  const open = await api.open("DIR/a/b.txt");\n  const part = await open.read(0, 2);\n  await open.close();\n  await open.close();\n  const closed = await open.read().catch((error) => error.name);\n  const taken = await api.upload("x", "DIR/large", { ifNoneMatch: true }).catch((error) => error.name);\n  return [name, size, read.length, read.every((byte) => byte === 7), part, closed, taken, (await api.list("DIR/")).map((entry) => entry.name), (await api.list("DIR/", { recursive: true })).map((entry) => entry.url), await api.delete("DIR/"), await api.list("DIR/")];\n};\n',
    ),
    value: [
      "large",
      9 * 2 ** 20,
      9 * 2 ** 20,
      true,
      Uint8Array.of(0xc3, 0xa9),
      "UsageError",
      "StorageError",
      ["a", "large"],
      ["fd://conformance/api-typescript/a/b.txt", "fd://conformance/api-typescript/large"],
      true,
      [],
    ],
  }),
  defineCase("parts of a file are read; behind its end there is nothing", {
    ...ALL,
    python: python(
      "parts",
      'ask("put", "DIR/x", bytes(range(100)))\nreturn [ask("get", "DIR/x", {"offset": o, "length": n}) for o, n in ((0, 3), (98, 10), (100, 1), (500, 1))]',
    ),
    typescript: typescript(
      "parts",
      'await ask("put", "DIR/x", Uint8Array.from({ length: 100 }, (_, i) => i));\nreturn Promise.all([[0, 3], [98, 10], [100, 1], [500, 1]].map(([offset, length]) => ask("get", "DIR/x", { offset, length })));',
    ),
    value: [Uint8Array.of(0, 1, 2), Uint8Array.of(98, 99), new Uint8Array(), new Uint8Array()],
  }),
  defineCase("an open file is read here and there until it is closed", {
    ...ALL,
    python: python(
      "open",
      'ask("put", "DIR/x", bytes(range(100)))\nopened = ask("open", "DIR/x")\nparts = [call("files.read", opened["file"], p, 2) for p in (50, 0, 99)]\ncall("files.close", opened["file"])\ntry:\n    call("files.read", opened["file"], 0, 1)\nexcept HostError as error:\n    return [opened["size"], parts, error.type_name, str(error)]',
    ),
    typescript: typescript(
      "open",
      'await ask("put", "DIR/x", Uint8Array.from({ length: 100 }, (_, i) => i));\nconst { file, size } = await ask("open", "DIR/x");\nconst parts = [];\nfor (const place of [50, 0, 99]) parts.push(await host.call("files.read", file, place, 2));\nawait host.call("files.close", file);\ntry {\n  await host.call("files.read", file, 0, 1);\n} catch (error: any) {\n  return [size, parts, error.name, error.message];\n}',
    ),
    value: [
      100,
      [Uint8Array.of(50, 51), Uint8Array.of(0, 1), Uint8Array.of(99)],
      "UsageError",
      "Cannot read file 1: this run has not opened it, or has closed it",
    ],
  }),
  defineCase("what is written in parts is there when it is committed, and not when it is thrown away", {
    ...ALL,
    python: python(
      "upload",
      'def names():\n    return [e["name"] for e in ask("list", "DIR/")["entries"]]\nask("delete", "DIR/", {"maxDeletionDepth": "unlimited"})\nfirst, second = ask("openWrite", "DIR/a"), ask("openWrite", "DIR/b")\nfor upload in (first, second):\n    ask("writePart", upload, b"one ")\n    ask("writePart", upload, b"two")\nbefore = names()\nask("commitWrite", first)\nask("abortWrite", second)\nreturn [before, names(), ask("get", "DIR/a")]',
    ),
    typescript: typescript(
      "upload",
      'const names = async () => (await ask("list", "DIR/")).entries.map((e: any) => e.name);\nawait ask("delete", "DIR/", { maxDeletionDepth: "unlimited" });\nconst [first, second] = [await ask("openWrite", "DIR/a"), await ask("openWrite", "DIR/b")];\nfor (const upload of [first, second]) {\n  await ask("writePart", upload, bytes("one "));\n  await ask("writePart", upload, bytes("two"));\n}\nconst before = await names();\nawait ask("commitWrite", first);\nawait ask("abortWrite", second);\nreturn [before, await names(), await ask("get", "DIR/a")];',
    ),
    value: [[], ["a"], new TextEncoder().encode("one two")],
  }),
  defineCase("a list goes on where its page ended, in the order of names", {
    ...ALL,
    python: python(
      "pages",
      'for name in ("b", "a/2", "a/1", "c"):\n    ask("put", f"DIR/{name}", b"")\nfound, after = [], None\nwhile True:\n    page = ask("list", "DIR/", {"recursive": True, "limit": 3, "after": after})\n    found.append([e["url"].removeprefix("DIR/") for e in page["entries"]])\n    after = page["next"]\n    if after is None:\n        return found',
    ),
    typescript: typescript(
      "pages",
      'for (const name of ["b", "a/2", "a/1", "c"]) await ask("put", "DIR/" + name, new Uint8Array());\nconst found = [];\nfor (let after = null; ; ) {\n  const page = await ask("list", "DIR/", { recursive: true, limit: 3, after });\n  found.push(page.entries.map((e: any) => e.url.slice("DIR/".length)));\n  after = page.next;\n  if (after === null) return found;\n}',
    ),
    value: [["a/1", "a/2", "b"], ["c"]],
  }),
  defineCase("what must not be there yet is not replaced", {
    ...ALL,
    python: python("new", 'for _ in range(2):\n    ask("put", "DIR/x", b"1", {"ifNoneMatch": True})'),
    typescript: typescript(
      "new",
      'for (let i = 0; i < 2; i++) await ask("put", "DIR/x", bytes("1"), { ifNoneMatch: true });',
    ),
    ...failed(
      "FileExistsError",
      (language) => `Cannot write fd://conformance/new-${language}/x: it is there already`,
    ),
  }),
  defineCase("what is not there is an error that names it", {
    ...ALL,
    python: python("none", 'ask("get", "fd://conformance/none")'),
    typescript: typescript("none", 'await ask("get", "fd://conformance/none");'),
    ...failed("FileNotFoundError", () => "Cannot read fd://conformance/none: it is not there"),
  }),
  defineCase("a place with a way up is refused", {
    ...ALL,
    python: python("up", 'ask("get", "fd://a/../b")'),
    typescript: typescript("up", 'await ask("get", "fd://a/../b");'),
    ...failed("OSError", () => 'Cannot use "fd://a/../b" as a place in the storage: it has a part . or ..'),
  }),
  defineCase("a folder that is deeper than was allowed is not deleted", {
    ...ALL,
    python: python(
      "deep",
      'ask("put", "DIR/a/b/c", b"1")\nrefused = False\ntry:\n    ask("delete", "DIR/", {"maxDeletionDepth": 2})\nexcept OSError as error:\n    refused = True\nreturn [refused, ask("get", "DIR/a/b/c"), ask("delete", "DIR/", {"maxDeletionDepth": 3}), ask("delete", "DIR/")]',
    ),
    typescript: typescript(
      "deep",
      'await ask("put", "DIR/a/b/c", bytes("1"));\nconst refused = await ask("delete", "DIR/", { maxDeletionDepth: 2 }).then(() => false, () => true);\nreturn [refused, await ask("get", "DIR/a/b/c"), await ask("delete", "DIR/", { maxDeletionDepth: 3 }), await ask("delete", "DIR/")];',
    ),
    value: [true, Uint8Array.of(49), true, false],
  }),
  defineCase("a file of the storage is read at a path, or by its download", {
    ...ALL,
    python: python(
      "download",
      'ask("put", "DIR/x", bytes(range(100)))\npath = fused.download("DIR/x", "here/x")\nwith open(path, "rb") as file:\n    file.seek(98)\n    return [path.stat().st_size, file.read(5)]',
    ),
    typescript: typescript(
      "download",
      'await ask("put", "DIR/x", Uint8Array.from({ length: 100 }, (_, i) => i));\nconst file = await download("DIR/x", "here/x");\nreturn [file.size, await file.read(98)];',
    ),
    value: [100, Uint8Array.of(98, 99)],
  }),
  defineCase("each principal has files of its own", {
    ...ALL,
    python: python(
      "own",
      'try:\n    there = ask("get", "DIR/x").decode()\n    ask("delete", "DIR/x")\n    return there\nexcept FileNotFoundError:\n    ask("put", "DIR/x", b"mine")\n    return "nothing"',
    ),
    typescript: typescript(
      "own",
      'const there = await ask("get", "DIR/x").catch(() => null);\nif (there) await ask("delete", "DIR/x");\nelse await ask("put", "DIR/x", bytes("mine"));\nreturn there ? new TextDecoder().decode(there) : "nothing";',
    ),
    runs: [
      { principal: "ada", value: "nothing" },
      { principal: "bob", value: "nothing" },
      { principal: "ada", value: "mine" },
      { principal: "bob", value: "mine" },
    ],
  }),
  defineCase("a run for somebody else uses its owner's files, and is still nobody else's run", {
    ...ALL,
    python: python(
      "owner",
      'import builtins\nold, builtins.left = getattr(builtins, "left", "nothing"), "left"\ntry:\n    there = ask("get", "DIR/x").decode()\nexcept FileNotFoundError:\n    there = "nothing"\nif clean:\n    ask("delete", "DIR/x")\nelse:\n    ask("put", "DIR/x", b"mine")\nreturn [old, there]',
    ).replace("udf():", "udf(clean: bool = False):"),
    typescript: typescript(
      "owner",
      'const there = await ask("get", "DIR/x").catch(() => null);\nif (clean) await ask("delete", "DIR/x");\nelse await ask("put", "DIR/x", bytes("mine"));\nconst old = (globalThis as any).left ?? "nothing";\n(globalThis as any).left = "left";\nreturn [old, there ? new TextDecoder().decode(there) : "nothing"];',
    ).replace("async () =>", "async ({ clean = false }: { clean?: boolean }) =>"),
    runs: [
      { principal: "guest", owner: "eve", value: ["nothing", "nothing"] },
      { principal: "eve", value: ["nothing", "mine"] },
      { principal: "guest", owner: "zoe", value: ["nothing", "nothing"] },
      { principal: "guest", value: ["nothing", "nothing"] },
      { principal: "guest", owner: "eve", value: ["nothing", "mine"] },
      // Pages of one origin have one storage: the next platform finds it as this one did.
      ...["eve", "zoe", "guest"].map((principal) => ({
        principal,
        parameters: { clean: true },
        value: ["nothing", "mine"],
      })),
    ],
  }),
  ...(["get", "list", "details", "open"] as const).map((method) =>
    defineCase(`without a grant, storage.${method} is denied`, {
      permissions: { read: ["fd://other"], write: ["fd://"] },
      needs: ["blockingCalls"],
      python: python("denied", `ask("${method}", "fd://secret/x")`),
      typescript: typescript("denied", `await ask("${method}", "fd://secret/x");`),
      error: denied("read", "fd://secret/x"),
    }),
  ),
  ...(
    [
      ["put", ', b"1"', ', bytes("1")'],
      ["openWrite", "", ""],
      ["delete", "", ""],
    ] as const
  ).map(([method, inPython, inTypeScript]) =>
    defineCase(`without a grant, storage.${method} is denied`, {
      permissions: { read: ["fd://"], write: ["fd://other"] },
      needs: ["blockingCalls"],
      python: python("denied", `ask("${method}", "fd://secret/x"${inPython})`),
      typescript: typescript("denied", `await ask("${method}", "fd://secret/x"${inTypeScript});`),
      error: denied("write", "fd://secret/x"),
    }),
  ),
  defineCase("what is denied in a folder is left out of its list, and cannot be read", {
    permissions: { read: ["fd://"], write: ["fd://"], deny: { read: ["fd://conformance/hidden/secret"] } },
    needs: ["blockingCalls"],
    python: python(
      "hidden",
      'for name in ("a", "secret", "secrets"):\n    ask("put", f"fd://conformance/hidden/{name}", b"1")\nnames = [e["name"] for e in ask("list", "fd://conformance/hidden/")["entries"]]\ntry:\n    ask("get", "fd://conformance/hidden/secret")\nexcept fused.PermissionDeniedError as error:\n    return [names, str(error)]',
    ),
    typescript: typescript(
      "hidden",
      'for (const name of ["a", "secret", "secrets"]) await ask("put", "fd://conformance/hidden/" + name, bytes("1"));\nconst names = (await ask("list", "fd://conformance/hidden/")).entries.map((e: any) => e.name);\ntry {\n  await ask("get", "fd://conformance/hidden/secret");\n} catch (error: any) {\n  return [names, error.message];\n}',
    ),
    value: [
      ["a", "secrets"],
      'Requires read access to "fd://conformance/hidden/secret", which is denied: run again without --deny-read=fd://conformance/hidden/secret',
    ],
  }),
  defineCase("a download of a place that is not granted is denied", {
    permissions: { read: ["fd://other"] },
    needs: ["blockingCalls"],
    python: python("denied", 'fused.download("fd://secret/x", "x")'),
    typescript: typescript("denied", 'await download("fd://secret/x", "x");'),
    error: denied("read", "fd://secret/x"),
  }),
] satisfies Case[];

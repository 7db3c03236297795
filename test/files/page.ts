/** What the suite does in pages: bundled as the global `files`; `fuselet` is the built module. */
import { openBindings } from "../../host/bindings.browser.ts";
import type { createRuntime } from "../../sdk/typescript/index.browser.ts";
import { type Asked, counted, runCounted } from "./counted.ts";

declare const fuselet: { createRuntime: typeof createRuntime };

/**
 * Opens a runtime.
 * @param pyodide the distribution's address
 * @param isCounted whether what crosses is counted; then the bindings are not the build's own, and their errors tell a UDF nothing
 */
export async function open(pyodide: string, isCounted: boolean): Promise<void> {
  const count = counted(isCounted ? openBindings().bindings : {});
  const runtime = await fuselet.createRuntime({
    permissions: { read: true, write: true, net: true },
    host: count.bindings,
    assets: { pyodide },
    pool: { spares: 0 },
  });
  Object.assign(globalThis, { run: (asked: Asked) => runCounted(runtime, count, asked) });
}

/** What the downloads of the origin have on disk, in bytes, and how many files are whole. */
export async function downloads(): Promise<{ bytes: number; whole: number }> {
  const root = await navigator.storage.getDirectory();
  const found = { bytes: 0, whole: 0 };
  const walk = async (folder: FileSystemDirectoryHandle) => {
    for await (const [name, item] of folder.entries()) {
      if (item.kind === "directory") await walk(item as FileSystemDirectoryHandle);
      else if (name === "whole") found.whole++;
      else if (/^\d+$/.test(name)) found.bytes += (await (item as FileSystemFileHandle).getFile()).size;
    }
  };
  const folder = await root.getDirectoryHandle("fuselet-downloads").catch(() => null);
  if (folder) await walk(folder);
  return found;
}

/** Makes the large file of a principal's storage: all of it is a hole but for these parts of what the server has. */
export async function makeLarge(url: string, size: number, parts: [start: number, end: number][]) {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("fuselet-files", { create: true });
  const own = await folder.getDirectoryHandle("me", { create: true });
  const stream = await (await own.getFileHandle("large.parquet", { create: true })).createWritable();
  await stream.truncate(size);
  for (const [start, end] of parts) {
    const answer = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` } });
    await stream.write({ type: "write", position: start, data: await answer.blob() });
  }
  await stream.close();
}

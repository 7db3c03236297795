/** A file on disk as a run sees it. */
import { open } from "node:fs/promises";
import type { StoredFile } from "./files.ts";

/** Opens a file. What replaces it later changes nothing for whoever has it open. @throws the system's error */
export async function openDiskFile(path: string): Promise<StoredFile> {
  const file = await open(path, "r");
  const { size } = await file.stat();
  return {
    size,
    async read(position, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - position)));
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return bytes.subarray(0, at);
    },
    close: () => file.close(),
  };
}

/**
 * Bodies as files, each written under a temporary name and renamed. The seal is HMAC-SHA-256 with a key that lies beside
 * them, readable by its owner only: a file that another user or another machine has made, or that was moved to another
 * entry, is found out. So is one that a power failure has cut off, which is why nothing here waits for the disk.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readKey } from "../../runtime/key.node.ts";
import { once } from "../../runtime/once.ts";
import { StoreError } from "../store/errors.ts";
import { type Blobs, isBlobName, sha256 } from "./blobs.ts";

/** Bodies from this size on are hashed beside the main thread. */
const LARGE_BYTES = 256 * 1024;

/** Bodies and their key in a folder, which is made when it is first written to. */
export function openBlobs(folder: string): Blobs {
  const key = once(() => sealingKey(folder));
  const bodies = join(folder, "bodies");
  const seal = async (identity: string, body: Uint8Array) => {
    const hash =
      body.length < LARGE_BYTES ? createHash("sha256").update(body).digest("hex") : await sha256(body);
    return createHmac("sha256", await key())
      .update(`${identity}\n${hash}`)
      .digest();
  };
  return {
    async write(body) {
      const name = crypto.randomUUID();
      const path = join(bodies, name);
      const temporary = `${path}.tmp`;
      try {
        await mkdir(bodies, { recursive: true, mode: 0o700 });
        await writeFile(temporary, body, { flag: "wx", mode: 0o600 });
        await rename(temporary, path);
        return name;
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {});
        throw failure(`Cannot write ${path}`, error);
      }
    },
    async read(name, size) {
      if (!isBlobName(name)) return undefined;
      const path = join(bodies, name);
      try {
        const file = await open(path, "r");
        try {
          const found = await file.stat();
          return found.isFile() && found.size === size ? await file.readFile() : undefined;
        } finally {
          await file.close();
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw failure(`Cannot read ${path}`, error);
      }
    },
    remove: (name) => rm(join(bodies, name), { force: true }).catch(() => {}),
    list: () => readdir(bodies).catch(() => []),
    async ageMs(name) {
      const info = await stat(join(bodies, name)).catch(() => null);
      return info?.isFile() ? Date.now() - info.mtimeMs : undefined;
    },
    seal: async (identity, body) => (await seal(identity, body)).toString("base64url"),
    async verify(identity, body, given) {
      const expected = await seal(identity, body);
      const bytes = Buffer.from(given, "base64url");
      return bytes.length === expected.length && timingSafeEqual(bytes, expected);
    },
  };
}

/** @throws StoreError where the folder has no key and cannot have one */
async function sealingKey(folder: string): Promise<Buffer> {
  const path = join(folder, "key");
  const key = await readKey(folder).catch((error) => {
    throw failure(`Cannot make the key ${path}`, error);
  });
  if (!key) throw new StoreError(`Cannot read ${path}: it is no key. Remove it`, { code: "damaged" });
  return key;
}

function failure(what: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  return new StoreError(`${what}: ${isFull ? "the disk is full" : message}`, {
    code: isFull ? "full" : "io",
    cause: error,
  });
}

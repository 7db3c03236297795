/** A file that is written beside its place, and takes it as a whole. */
import { type FileHandle, link, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Upload } from "./driver.ts";
import type { Held } from "./held.node.ts";
import { type Location, nameOf } from "./location.ts";
import type { Parts } from "./parts.node.ts";
import { storageError } from "./system-error.node.ts";

export interface FileUploadParts {
  folder: Held;
  /** Its name until it is whole. */
  part: string;
  file: FileHandle;
  location: Location;
  ifNoneMatch: boolean;
  parts: Parts;
  /** Called before so many bytes are written; what it gives, after that. @throws StorageError "full" */
  take(bytes: number): Promise<() => void>;
}

export class FileUpload implements Upload {
  readonly #own: FileUploadParts;
  #isOver = false;

  constructor(own: FileUploadParts) {
    this.#own = own;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const landed = await this.#own.take(bytes.length);
    try {
      await this.#own.file.appendFile(bytes);
    } catch (error) {
      throw storageError("write", this.#own.location, error);
    } finally {
      landed();
    }
  }

  async commit(): Promise<void> {
    const { folder, part, file, location, ifNoneMatch } = this.#own;
    const [from, to] = [join(folder.path, part), join(folder.path, nameOf(location))];
    try {
      await file.sync();
      await folder.verify();
      // A link never replaces what is there; a rename does.
      if (ifNoneMatch) await link(from, to);
      else await rename(from, to);
    } catch (error) {
      throw storageError("write", location, error);
    } finally {
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const { folder, part, file, parts } = this.#own;
    await file.close().catch(() => {});
    await unlink(join(folder.path, part)).catch(() => {});
    await folder.close().catch(() => {});
    await parts.forget(part).catch(() => {});
  }
}

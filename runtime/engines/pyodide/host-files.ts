/**
 * Files that lie with the host, in the interpreter's file system: they have a size and are read on demand, so that a file may be
 * much larger than memory. They can be read and not written.
 */
import type { FsNode, FsStream, Pyodide } from "./module.ts";

/** What is asked for at once where less is read: a reader of Parquet jumps about, and each question is a call of the host. */
const CHUNK_BYTES = 256 * 1024;
/** A read of so much is asked for as it is and not kept: whoever reads on and on will not come back. */
const LARGE_BYTES = 1024 * 1024;
/** The most that one question asks for. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Chunks that are kept, of all files together: 16 MiB, which no run can raise. */
const KEPT_CHUNKS = 64;

/** Errors of the WASI numbering, which Emscripten's file system uses. */
const ERRNO = { io: 29, noDevice: 43, exists: 20, readOnly: 69 } as const;

/** Asks the host: up to `length` bytes from `position` on; fewer only where the file ends. @throws where it has none */
export type ReadHostFile = (file: number, position: number, length: number) => Uint8Array;

/** A file that is open with the host: its number, and its size in bytes. */
export interface HostFile {
  file: number;
  size: number;
}

interface HostFileNode extends FsNode {
  hostFile?: HostFile;
}

export interface HostFiles {
  /** Puts a file of the host at a path; one that was there is replaced. */
  add(path: string, file: HostFile): void;
  /** Reads up to `length` bytes from `position` on. @returns how many: fewer where the file ends */
  read(file: HostFile, into: Uint8Array, offset: number, length: number, position: number): number;
  close(file: HostFile): void;
  /** Lets go of what was read. */
  forget(): void;
}

export function openHostFiles(
  pyodide: Pyodide,
  readHost: ReadHostFile,
  closeHost: (file: number) => void,
): HostFiles {
  const { FS } = pyodide;
  const memfs = FS.filesystems.MEMFS;
  const fail = (errno: number): never => {
    throw new FS.ErrnoError(errno);
  };
  /** In the order of their last use. */
  const chunks = new Map<string, Uint8Array>();

  const ask = (file: number, position: number, length: number): Uint8Array => {
    let bytes: Uint8Array;
    try {
      bytes = readHost(file, position, length);
    } catch {
      return fail(ERRNO.io);
    }
    // Fewer bytes than there must be, or more than asked for: the file is not what it was.
    return bytes.length === length ? bytes : fail(ERRNO.io);
  };

  const chunkAt = ({ file, size }: HostFile, start: number): Uint8Array => {
    const key = `${file}:${start}`;
    let chunk = chunks.get(key);
    chunks.delete(key);
    chunk ??= ask(file, start, Math.min(CHUNK_BYTES, size - start));
    chunks.set(key, chunk);
    const oldest = chunks.keys().next();
    if (chunks.size > KEPT_CHUNKS && !oldest.done) chunks.delete(oldest.value);
    return chunk;
  };

  const read: HostFiles["read"] = (hostFile, into, offset, length, position) => {
    const end = Math.min(position + length, hostFile.size);
    let at = position;
    while (at < end) {
      const left = end - at;
      let part: Uint8Array;
      if (left >= LARGE_BYTES) {
        part = ask(hostFile.file, at, Math.min(left, MOST_BYTES));
      } else {
        const start = at - (at % CHUNK_BYTES);
        part = chunkAt(hostFile, start).subarray(at - start, at - start + left);
      }
      into.set(part, offset + at - position);
      at += part.length;
    }
    return Math.max(0, end - position);
  };

  const streamOperations = {
    ...memfs.ops_table.file.stream,
    read({ node }: FsStream, into: Uint8Array, offset: number, length: number, position: number): number {
      const { hostFile } = node as HostFileNode;
      return hostFile ? read(hostFile, into, offset, length, position) : fail(ERRNO.io);
    },
    write: () => fail(ERRNO.readOnly),
    allocate: () => fail(ERRNO.readOnly),
    mmap: () => fail(ERRNO.noDevice),
  };
  const nodeOperations = { ...memfs.ops_table.file.node, setattr: () => fail(ERRNO.readOnly) };

  return {
    add(path, file) {
      const slash = path.lastIndexOf("/");
      const name = path.slice(slash + 1);
      FS.mkdirTree(path.slice(0, slash));
      const { node: folder } = FS.lookupPath(path.slice(0, slash));
      const before = (folder.contents as Record<string, HostFileNode>)[name];
      if (before && !before.hostFile) fail(ERRNO.exists);
      // Through the operations of its folder: a change that is put back after the run.
      const node: HostFileNode = before ?? folder.node_ops.mknod(folder, name, 0o100444, 0);
      node.hostFile = file;
      node.usedBytes = file.size;
      node.node_ops = nodeOperations as never;
      node.stream_ops = streamOperations as never;
    },
    read,
    close: ({ file }) => closeHost(file),
    forget: () => chunks.clear(),
  };
}

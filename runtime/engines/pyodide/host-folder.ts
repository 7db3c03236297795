/**
 * A folder of the host's storage in the interpreter's file system: `open`, `os`, pandas and C++ libraries use it as they use any folder.
 * Files are read on demand. One that is written is sent when it is closed, and is there as a whole or not at all. Folders are there
 * when something is in them, as in all storage; one that a run makes itself is there until its end.
 */
import type { HostFile, HostFiles } from "./host-files.ts";
import type { FsNode, FsStream, Pyodide } from "./module.ts";

/** What one part of an upload has at most (host/storage/storage.ts). */
const MOST_PART = 8 * 1024 * 1024;
/** A file that is written is in memory until it is sent. */
const MOST_WRITTEN = 256 * 1024 * 1024;
/** What the host said of a file is asked anew after so many milliseconds: others may change it, and programs ask several times in a row. */
const FRESH_MS = 1000;

const FOLDER_MODE = 0o40777;
const FILE_MODE = 0o100666;
/** Of the flags of `open`: reads and writes are the lowest two bits, 0 only reads. */
const WRITES = 3;

/** Errors of the WASI numbering, which Emscripten's file system uses. */
const ERRNO = {
  ...{ access: 2, badFile: 8, busy: 10, exists: 20, tooBig: 22, invalid: 28, io: 29, noDevice: 43 },
  ...{ notFound: 44, noSpace: 51, notEmpty: 55, notPermitted: 63, otherDevice: 75 },
} as const;
/** What a StorageError's code is here. */
const CODES: Readonly<Record<string, number>> = {
  "not found": ERRNO.notFound,
  exists: ERRNO.exists,
  access: ERRNO.access,
  request: ERRNO.invalid,
  full: ERRNO.noSpace,
};

/** What the host answered: a value, or why it did not. */
export type StorageReply = { value: unknown } | { error: { type: string; subject: string | null } };
/** Calls a method of the binding `storage`. Bytes are its last argument. */
export type CallStorage = (method: string, args: readonly unknown[], bytes?: Uint8Array) => StorageReply;

interface Entry {
  name: string;
  isDirectory: boolean;
  size: number | null;
  modifiedMs: number | null;
}

/** A file that is written. */
interface Written {
  bytes: Uint8Array;
  size: number;
  isChanged: boolean;
  isDeleted: boolean;
  writers: number;
  /** The upload's number; none before it is open. */
  upload: number | undefined;
}

interface HostNode extends FsNode {
  parent: HostNode;
  id: number;
  size: number;
  modifiedMs: number;
  /** When the host said so. */
  seenMs: number;
  /** A run made it, and the host does not know of it. */
  isNew: boolean;
  /** Of a folder: what has been found in it. */
  entries: Map<string, HostNode>;
  written: Written | undefined;
}

interface HostStream extends FsStream {
  node: HostNode;
  open: { file: HostFile; uses: number } | undefined;
}

/** @param place of the storage, and where it is in the interpreter's: `/mount` */
export function openHostFolder(
  { FS }: Pyodide,
  place: string,
  { call, files, now }: { call: CallStorage; files: HostFiles; now(): number },
): { mount(): void; forget(): void } {
  const fail = (errno: number): never => {
    throw new FS.ErrnoError(errno);
  };
  const ask = <T>(method: string, args: readonly unknown[], bytes?: Uint8Array): T => {
    let reply: StorageReply;
    try {
      reply = call(method, args, bytes);
    } catch {
      return fail(ERRNO.io);
    }
    if ("value" in reply) return reply.value as T;
    const { type, subject } = reply.error;
    return fail(type === "PermissionDeniedError" ? ERRNO.access : (CODES[subject ?? ""] ?? ERRNO.io));
  };

  let root: HostNode | undefined;
  const placeOf = (node: HostNode): string =>
    node === root ? place : `${placeOf(node.parent)}/${node.name}`;

  const make = (parent: HostNode | FsNode, name: string, isFolder: boolean): HostNode =>
    Object.assign(FS.createNode(parent, name, isFolder ? FOLDER_MODE : FILE_MODE, 0) as HostNode, {
      ...{ size: 0, modifiedMs: 0, seenMs: Number.NEGATIVE_INFINITY, isNew: false, written: undefined },
      ...{ entries: new Map(), node_ops: nodeOperations, stream_ops: streamOperations },
    });
  const note = (node: HostNode, { size, modifiedMs }: Entry) => {
    node.size = size ?? 0;
    node.modifiedMs = modifiedMs ?? 0;
    node.seenMs = now();
  };
  const found = (parent: HostNode, name: string, entry: Entry): HostNode => {
    const known = parent.entries.get(name);
    const isSame = known && FS.isDir(known.mode) === entry.isDirectory;
    if (known && !isSame) remove(known);
    const node = isSame ? known : make(parent, name, entry.isDirectory);
    parent.entries.set(name, node);
    note(node, entry);
    return node;
  };
  const remove = (node: HostNode) => {
    if (node.parent.entries.get(node.name) === node) node.parent.entries.delete(node.name);
    FS.destroyNode(node);
  };
  /** The host has something there now, and so it has its folders. */
  const noteSent = (node: HostNode) => {
    node.seenMs = Number.NEGATIVE_INFINITY;
    node.isNew = false;
    for (let at = node.parent; at.isNew; at = at.parent) at.isNew = false;
  };

  const refresh = (node: HostNode) => {
    if (node === root || node.isNew || node.written || now() - node.seenMs < FRESH_MS) return;
    const entry = ask<Entry>("details", [placeOf(node)]);
    if (entry.isDirectory !== FS.isDir(node.mode)) fail(ERRNO.notFound);
    note(node, entry);
  };

  const openFile = (node: HostNode) => ask<HostFile>("open", [placeOf(node)]);
  const readWhole = (node: HostNode): Uint8Array => {
    const file = openFile(node);
    try {
      if (file.size > MOST_WRITTEN) fail(ERRNO.tooBig);
      const bytes = new Uint8Array(file.size);
      files.read(file, bytes, 0, bytes.length, 0);
      return bytes;
    } finally {
      files.close(file);
    }
  };

  const upload = (number: number, bytes: Uint8Array) => {
    try {
      for (let at = 0; at < bytes.length; at += MOST_PART)
        ask("writePart", [number], bytes.subarray(at, at + MOST_PART));
      ask("commitWrite", [number]);
    } catch (error) {
      call("abortWrite", [number]);
      throw error;
    }
  };
  /** Sends what was written. */
  const send = (node: HostNode, written: Written) => {
    const { upload: number, bytes, size, isChanged, isDeleted } = written;
    written.upload = undefined;
    if (number === undefined) return;
    if (!isChanged || isDeleted) return void call("abortWrite", [number]);
    upload(number, bytes.subarray(0, size));
    written.isChanged = false;
    noteSent(node);
  };
  const beginWriting = (bytes: Uint8Array, isChanged: boolean): Written => ({
    ...{ bytes, size: bytes.length, isChanged, isDeleted: false, writers: 0, upload: undefined },
  });
  const resize = (written: Written, size: number) => {
    if (size > MOST_WRITTEN) fail(ERRNO.tooBig);
    if (size > written.bytes.length) {
      const bytes = new Uint8Array(Math.min(MOST_WRITTEN, Math.max(size, 2 * written.bytes.length)));
      bytes.set(written.bytes);
      written.bytes = bytes;
    }
    if (size < written.size) written.bytes.fill(0, size, written.size);
    written.size = size;
    written.isChanged = true;
  };

  const nodeOperations = {
    getattr(node: HostNode) {
      refresh(node);
      const size = FS.isDir(node.mode) ? 4096 : (node.written?.size ?? node.size);
      const time = new Date(node.modifiedMs);
      return {
        ...{ dev: 1, ino: node.id, mode: node.mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size },
        ...{ atime: time, mtime: time, ctime: time, blksize: 4096, blocks: Math.ceil(size / 512) },
      };
    },
    setattr(node: HostNode, { mode, size }: { mode?: number; size?: number }) {
      if (mode !== undefined) node.mode = mode;
      if (size === undefined) return;
      // A file that `open` empties is written by what follows.
      node.written ??= beginWriting(size === 0 || node.isNew ? new Uint8Array() : readWhole(node), true);
      resize(node.written, size);
      if (size === 0 || node.written.writers > 0) return;
      const { written } = node;
      node.written = undefined;
      written.upload = ask<number>("openWrite", [placeOf(node)]);
      send(node, written);
    },
    lookup(parent: HostNode, name: string) {
      if (parent.isNew) fail(ERRNO.notFound);
      return found(parent, name, ask<Entry>("details", [`${placeOf(parent)}/${name}`]));
    },
    mknod(parent: HostNode, name: string, mode: number) {
      if (!FS.isDir(mode) && !FS.isFile(mode)) fail(ERRNO.notPermitted);
      const node = make(parent, name, FS.isDir(mode));
      node.isNew = true;
      node.modifiedMs = Date.now();
      parent.entries.set(name, node);
      return node;
    },
    readdir(node: HostNode) {
      const names = new Set<string>();
      for (let after: string | null = null; !node.isNew; ) {
        type Page = { entries: Entry[]; next: string | null };
        const page: Page = ask<Page>("list", [placeOf(node), { after }]);
        for (const entry of page.entries) {
          names.add(entry.name);
          found(node, entry.name, entry);
        }
        after = page.next;
        if (after === null) break;
      }
      for (const [name, entry] of node.entries) {
        if (entry.isNew || entry.written) names.add(name);
        else if (!names.has(name)) remove(entry);
      }
      return [".", "..", ...names];
    },
    unlink(parent: HostNode, name: string) {
      const node = parent.entries.get(name) ?? fail(ERRNO.notFound);
      if (!node.isNew) ask("delete", [placeOf(node), { maxDeletionDepth: 0 }]);
      if (node.written) node.written.isDeleted = true;
      parent.entries.delete(name);
    },
    rmdir(parent: HostNode, name: string) {
      const node = parent.entries.get(name) ?? fail(ERRNO.notFound);
      if (nodeOperations.readdir(node).length > 2) fail(ERRNO.notEmpty);
      if (!node.isNew) ask("delete", [`${placeOf(node)}/`, { maxDeletionDepth: 0 }]);
      parent.entries.delete(name);
    },
    rename(node: HostNode, folder: HostNode, name: string) {
      if (FS.isDir(node.mode) && !node.isNew) fail(ERRNO.otherDevice);
      if (node.written) fail(ERRNO.busy);
      const before = folder.entries.get(name);
      if (FS.isFile(node.mode)) {
        const bytes = node.isNew ? new Uint8Array() : readWhole(node);
        // Whether it may go is asked before anything is replaced by it.
        call("abortWrite", [ask("openWrite", [placeOf(node)])]);
        upload(ask<number>("openWrite", [`${placeOf(folder)}/${name}`]), bytes);
        if (!node.isNew) ask("delete", [placeOf(node), { maxDeletionDepth: 0 }]);
      }
      if (before) remove(before);
      node.parent.entries.delete(node.name);
      Object.assign(node, { name, parent: folder });
      folder.entries.set(name, node);
      if (FS.isFile(node.mode)) noteSent(node);
    },
  };

  const streamOperations = {
    open(stream: HostStream) {
      const { node } = stream;
      stream.open = undefined;
      if (FS.isDir(node.mode)) return;
      if ((stream.flags & WRITES) === 0) {
        if (!node.written) stream.open = { file: openFile(node), uses: 1 };
        return;
      }
      try {
        node.written ??= beginWriting(node.isNew ? new Uint8Array() : readWhole(node), node.isNew);
        node.written.upload ??= ask<number>("openWrite", [placeOf(node)]);
        node.written.writers++;
      } catch (error) {
        if (node.written?.writers === 0) node.written = undefined;
        if (node.isNew) remove(node);
        throw error;
      }
    },
    dup(stream: HostStream) {
      if (stream.open) stream.open.uses++;
      if ((stream.flags & WRITES) !== 0 && stream.node.written) stream.node.written.writers++;
    },
    close(stream: HostStream) {
      const { node, open } = stream;
      if (open && --open.uses === 0) files.close(open.file);
      const { written } = node;
      if ((stream.flags & WRITES) === 0 || !written || --written.writers > 0) return;
      node.written = undefined;
      send(node, written);
    },
    fsync({ node, flags }: HostStream) {
      const { written } = node;
      if ((flags & WRITES) === 0 || !written?.isChanged) return 0;
      send(node, written);
      written.upload = ask<number>("openWrite", [placeOf(node)]);
      return 0;
    },
    read(stream: HostStream, into: Uint8Array, offset: number, length: number, position: number): number {
      const { node } = stream;
      if (node.written) {
        const { bytes, size } = node.written;
        const part = bytes.subarray(Math.min(position, size), Math.min(position + length, size));
        into.set(part, offset);
        return part.length;
      }
      stream.open ??= { file: openFile(node), uses: 1 };
      return files.read(stream.open.file, into, offset, length, position);
    },
    write({ node }: HostStream, from: Uint8Array, offset: number, length: number, position: number): number {
      const written = node.written ?? fail(ERRNO.badFile);
      resize(written, Math.max(written.size, position + length));
      written.bytes.set(from.subarray(offset, offset + length), position);
      return length;
    },
    llseek({ node, open, position }: HostStream, offset: number, whence: number): number {
      const size = node.written?.size ?? open?.file.size ?? node.size;
      const from = [0, position, size][whence] ?? fail(ERRNO.invalid);
      return from + offset >= 0 ? from + offset : fail(ERRNO.invalid);
    },
    mmap: () => fail(ERRNO.noDevice),
  };

  const name = place.slice(1);
  const inRoot = () => FS.root.contents as Record<string, FsNode>;
  let hidden: FsNode | undefined;
  return {
    mount() {
      if (root) return;
      const reply = call("mounts", []);
      if (!("value" in reply) || !(reply.value as unknown[]).includes(place)) return;
      root = make(FS.root, name, true);
      // Nothing is moved between it and the rest of the file system.
      root.mount = { type: streamOperations };
      hidden = inRoot()[name];
      inRoot()[name] = root;
    },
    forget() {
      if (!root) return;
      if (inRoot()[name] === root) {
        if (hidden) inRoot()[name] = hidden;
        else delete inRoot()[name];
      }
      root = undefined;
    },
  };
}

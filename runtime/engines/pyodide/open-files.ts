/** Files that were open when a snapshot was made: the memory knows their descriptors (pyproj keeps its database open), so they are opened again. */
import type { FileSystem } from "./module.ts";

export interface OpenFile {
  fd: number;
  path: string;
  flags: number;
  position: number;
}

/** Descriptors 0, 1 and 2 are the platform's. */
const FIRST = 3;

export function findOpenFiles(FS: FileSystem): OpenFile[] {
  return FS.streams.flatMap((stream, fd) =>
    stream && fd >= FIRST ? [{ fd, path: stream.path, flags: stream.flags, position: stream.position }] : [],
  );
}

/** @throws when a file is not there any more */
export function reopenFiles(FS: FileSystem, files: readonly OpenFile[]): void {
  for (const { fd, path, flags, position } of files) {
    const stream = FS.open(path, flags);
    if (stream.fd !== fd) {
      FS.streams[stream.fd] = null;
      FS.streams[fd] = stream;
      stream.fd = fd;
    }
    stream.position = position;
  }
}

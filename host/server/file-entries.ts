/** Entries and contents of files, as the routes that give them out say them. */
import { z } from "@hono/zod-openapi";
import type { Entry, Listing, StorageCall } from "../storage/driver.ts";
import { StorageError } from "../storage/errors.ts";
import type { Storage } from "../storage/storage.ts";
import { errors } from "./schemas.ts";

/** The most characters of a path, as clients name a file or a folder. */
export const MOST_PATH = 4096;
/** The most entries of one list. */
const MOST_ENTRIES = 100_000;
const PAGE = 1000;

/** An entry of a folder. */
export const FileEntry = z
  .object({
    url: z.string().openapi({ description: "That of a folder ends with a slash" }),
    file_name: z.string(),
    is_directory: z.boolean(),
    size: z.number().nullable(),
    last_modified: z.string().nullable(),
  })
  .openapi("FileEntry");

const fileContent = {
  content: { "*/*": { schema: { type: "string", format: "binary" } as const } },
  description: "The file",
};

/** The errors of what a route does with the storage. */
export const storageErrors = errors(400, 404, 409, 504);

/** What a route answers that gives the content of a file. */
export const fileAnswers = {
  200: fileContent,
  206: { ...fileContent, description: "The part that the header Range asks for" },
  304: { description: "It is what If-None-Match says" },
  ...errors(400, 404, 416, 504),
};

export function entryBody({ url, name, isDirectory, size, modifiedMs }: Entry): z.infer<typeof FileEntry> {
  return {
    url,
    file_name: name,
    is_directory: isDirectory,
    size,
    last_modified: modifiedMs === null ? null : new Date(modifiedMs).toISOString(),
  };
}

/** All that lies in a folder. @throws StorageError "request" beyond 100,000 entries, "not found" for a file with a slash at its end */
export async function listAll(storage: Storage, url: string, call: StorageCall): Promise<Entry[]> {
  const entries: Entry[] = [];
  let after: string | null = null;
  do {
    const page: Listing = await storage.list(url, { recursive: false, after, limit: PAGE }, call);
    entries.push(...page.entries);
    after = page.next;
    if (entries.length > MOST_ENTRIES)
      throw new StorageError("request", `Cannot list ${url}: it has more than ${MOST_ENTRIES} entries`);
  } while (after !== null);
  // The published client asks whether a path is a folder in this way: by its 404 it knows a file.
  if (entries.length === 0 && /[^/]\/$/.test(url)) {
    const { entries: files } = await storage.list(
      url.slice(0, -1),
      { recursive: false, after: null, limit: 1 },
      call,
    );
    if (files.length > 0)
      throw new StorageError("not found", `Cannot list ${url}: it is a file, and no folder`);
  }
  return entries;
}

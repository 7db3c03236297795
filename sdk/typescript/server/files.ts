/** Files on a server. A path is a URL: `fd://` (your own files), `s3://`, `gs://`, or `file:///mount/…` (the disk that runs share). */
import { concat } from "../../../runtime/bytes.ts";
import { isRecord } from "../../../runtime/record.ts";
import { inPath, refusal } from "./answers.ts";
import type { Connection } from "./connection.ts";
import { resolveFunctions } from "./files-resolve.ts";

/** A file or a folder. */
export interface ServerFile {
  url: string;
  name: string;
  isDirectory: boolean;
  /** In bytes; null for folders, and where it is not known. */
  size: number | null;
  /** An ISO text. */
  lastModified: string | null;
}

const MOUNT = "file:///mount";

/** Until a server answers, and between the parts of what it answers. */
const FILE_TIMEOUT_MS = 60_000;
/** What is sent is not heard of before its end: it may go as slowly as this. */
const LEAST_BYTES_PER_MS = 50;
const timeoutOf = ({ length }: Uint8Array) => FILE_TIMEOUT_MS + length / LEAST_BYTES_PER_MS;

/** What `fileFunctions` makes. */
export interface FileFunctions extends ReturnType<typeof ownFunctions>, ReturnType<typeof resolveFunctions> {}

/** Makes the functions for files. */
export function fileFunctions(connection: Connection): FileFunctions {
  return { ...ownFunctions(connection), ...resolveFunctions(connection) };
}

function ownFunctions(connection: Connection) {
  const at = (path: string) => ({ path });
  const mount = async (verb: string) => `efs/${inPath(await connection.client())}/${verb}`;
  const isMounted = (path: string) => /^file:\/\/\/mount(\/|$)/.test(path);
  const below = (path: string) => path.slice(MOUNT.length);

  const listMount = async (path: string): Promise<ServerFile[]> => {
    const item = below(path).replace(/^\//, "");
    const answer = await connection.json(await mount("list"), {
      method: "POST",
      query: { limit: -1 },
      json: { item },
    });
    const items = isRecord(answer) && Array.isArray(answer.items) ? answer.items : [];
    return items.filter(isRecord).map((one) => fileOf({ ...one, url: `${MOUNT}/${one.url}` }));
  };

  return {
    /** What lies in a folder. @throws ServerError, as all functions for files do */
    async list(path: string): Promise<ServerFile[]> {
      const url = urlOf(path);
      if (isMounted(url)) return listMount(url);
      const found = await connection.json("files/list-details", { query: at(url) });
      return (Array.isArray(found) ? found : []).filter(isRecord).map(fileOf);
    },

    /** The bytes of a file. */
    async get(path: string): Promise<Uint8Array> {
      const url = urlOf(path);
      const answer = isMounted(url)
        ? connection.answer(await mount("download"), {
            query: { file_name: below(url) },
            timeoutMs: FILE_TIMEOUT_MS,
          })
        : connection.answer("files/get", { query: at(url), timeoutMs: FILE_TIMEOUT_MS });
      return (await answer).body;
    },

    /** Writes a file. @param content bytes, or text that is written as UTF-8 */
    async upload(content: Uint8Array | string, path: string): Promise<void> {
      const url = urlOf(path);
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      if (isMounted(url)) {
        const place = below(url);
        const cut = place.lastIndexOf("/");
        const { type, body } = form({ dir: place.slice(0, cut) || "/" }, place.slice(cut + 1), bytes);
        await connection.answer(await mount("upload"), {
          method: "POST",
          body,
          headers: { "content-type": type },
          timeoutMs: timeoutOf(body),
        });
        return;
      }
      const query = { ...at(url), content_length: bytes.length };
      const signed = await connection.json("files/sign-upload", { query });
      const { url: to, fields } = isRecord(signed) ? signed : {};
      const { type, body } = form(isRecord(fields) ? fields : {}, "file", bytes);
      // The place is signed: who we are is none of its business.
      const answer = await connection.send(String(to), {
        method: "POST",
        body,
        headers: { "content-type": type },
        timeoutMs: timeoutOf(body),
      });
      if (answer.status >= 400) throw refusal(answer);
    },

    /**
     * Deletes a file, or all that lies below a folder.
     * @param options `maxDeletionDepth`: a folder that holds files deeper than this is left as it is. Default: 3
     * @returns whether there was anything
     */
    async delete(
      path: string,
      { maxDeletionDepth = 3 }: { maxDeletionDepth?: number | "unlimited" } = {},
    ): Promise<boolean> {
      const url = urlOf(path);
      if (!isMounted(url)) {
        const query = { ...at(url), max_deletion_depth: maxDeletionDepth };
        return (await connection.json("files/delete", { method: "DELETE", query })) === true;
      }
      const item = below(url).replace(/\/$/, "");
      const cut = item.lastIndexOf("/");
      const siblings = await listMount(MOUNT + item.slice(0, cut));
      const isFile = siblings.some(({ name, isDirectory }) => name === item.slice(cut + 1) && !isDirectory);
      const verb = await mount(isFile ? "delete-file" : "delete-dir");
      return (await connection.json(verb, { method: "DELETE", json: { item } })) !== false;
    },

    /** An address that gives the file to whoever has it, for a while. Whether there is such a file is not checked. */
    signUrl: async (path: string): Promise<string> =>
      String(await connection.json("files/sign", { query: at(urlOf(path)) })),

    /** Such addresses for all files below a path, by their paths. */
    async signUrlPrefix(path: string): Promise<Record<string, string>> {
      const found = await connection.json("files/sign_prefix", { query: at(urlOf(path)) });
      return isRecord(found) ? (found as Record<string, string>) : {};
    },
  };
}

const urlOf = (path: string) => (/^\/mount(\/|$)/.test(path) ? `file://${path}` : path);

function fileOf(entry: Record<string, unknown>): ServerFile {
  const { url, file_name: name, is_directory: isDirectory, size, last_modified: lastModified } = entry;
  return {
    url: String(url),
    name: typeof name === "string" ? name : String(url).replace(/\/$/, "").replace(/^.*\//, ""),
    isDirectory: isDirectory === true,
    size: typeof size === "number" ? size : null,
    lastModified: typeof lastModified === "string" ? lastModified : null,
  };
}

/** A form (RFC 7578) with a file called `file` as the last of its fields, as storages want it. */
function form(
  fields: Readonly<Record<string, unknown>>,
  fileName: string,
  content: Uint8Array,
): { type: string; body: Uint8Array<ArrayBuffer> } {
  const boundary = crypto.randomUUID();
  const head = Object.entries(fields)
    .map(
      ([name, value]) =>
        `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`,
    )
    .join("");
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted(fileName)}"\r\n\r\n`;
  const encode = (text: string) => new TextEncoder().encode(text);
  const body = concat([encode(head + file), content, encode(`\r\n--${boundary}--\r\n`)]);
  return { type: `multipart/form-data; boundary=${boundary}`, body };
}

/** As HTML's forms write names: none may end the header. */
const quoted = (name: string) => name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

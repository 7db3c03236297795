/** Reads UDFs from GitHub: through the guarded network, from GitHub's own hosts only, bounded in files, bytes and time. */
import { UdfLoadError, UsageError } from "../../runtime/errors.ts";
import { showText } from "../../runtime/show.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import { NetError } from "../net/errors.ts";
import type { Guard, NetCall } from "../net/guard.ts";
import { readUrl } from "../net/request.ts";
import { wholeBody } from "../net/whole-body.ts";
import { encode, GITHUB, type GitHubHosts, type GitHubPlace, readPlace } from "./github.ts";
import { readMeta } from "./meta.ts";
import { isSourcePath } from "./paths.ts";
import { SOURCE_LIMITS, sourceFromFiles } from "./source.ts";

/** GitHub takes no more requests for a while. */
export class GitHubBusyError extends UsageError {}

/**
 * Reads the UDF behind an address of a folder, a file or a gist.
 * @param call who asks: `net` of GitHub's hosts is required of it
 * @returns null where there is nothing
 * @throws UdfLoadError for an address or files that are no UDF's; UsageError where GitHub does not answer, GitHubBusyError where it says
 *   that it will not; PermissionDeniedError
 */
export type ReadGitHub = (address: string, call: NetCall) => Promise<UdfSource | null>;

type Files = Record<string, Uint8Array>;

/** Reads one address. @returns null where there is nothing */
type Fetch = (url: string) => Promise<Uint8Array | null>;

/** For all requests of one UDF together. */
const WHOLE_MS = 30_000;
const MOST_FILES = 100;
const MOST_LIST_BYTES = 4 * 1024 * 1024;
/** Parts of a branch's name that are tried. */
const MOST_BRANCH_PARTS = 4;

export function gitHubReader(openGuard: () => Promise<Guard>, hosts: GitHubHosts = GITHUB): ReadGitHub {
  return async (address, call) => {
    const place = readPlace(address);
    const ending = new AbortController();
    const signal = AbortSignal.any([call.signal, ending.signal, AbortSignal.timeout(WHOLE_MS)]);
    const { principal, permissions } = call;
    const asking: NetCall = {
      principal,
      permissions,
      signal,
      require: (permission, value) => call.require(permission, value),
    };
    try {
      const guard = await openGuard();
      let left = SOURCE_LIMITS.totalBytes;
      const fetch: Fetch = async (from) => {
        const bytes = await fetchBytes(guard, asking, from, left);
        left -= bytes?.length ?? 0;
        return bytes;
      };
      return await (place.kind === "gist"
        ? readGist(fetch, hosts, place.id)
        : readRepository(fetch, hosts, place));
    } catch (cause) {
      if (!(cause instanceof NetError)) throw cause;
      throw new UsageError(`Cannot load ${showText(address)}: ${cause.message}`, { cause });
    } finally {
      ending.abort();
    }
  };
}

async function fetchBytes(
  guard: Guard,
  call: NetCall,
  from: string,
  mostBytes: number,
): Promise<Uint8Array | null> {
  const answer = await guard.fetch(
    {
      url: readUrl(from),
      method: "GET",
      headers: [
        ["accept", "application/vnd.github+json, */*"],
        ["user-agent", "fuselet"],
      ],
      body: null,
      redirect: "follow",
      timeoutMs: WHOLE_MS,
      timeoutFor: "answer",
    },
    call,
  );
  const { status, headers, body } = answer;
  if (status !== 200) body.close();
  if (status === 404) return null;
  if (
    status === 429 ||
    (status === 403 && headers.some(([name, value]) => name === "x-ratelimit-remaining" && value === "0"))
  )
    throw new GitHubBusyError("Cannot load from GitHub: it takes no more requests from here for a while");
  if (status !== 200) throw new UsageError(`Cannot load from GitHub: it answered ${status}`);
  const bytes = await wholeBody(body, mostBytes);
  if (!bytes)
    throw new UdfLoadError(
      `Cannot load from GitHub: it is larger than ${SOURCE_LIMITS.totalBytes / 2 ** 20} MB`,
    );
  return bytes;
}

async function readRepository(
  fetch: Fetch,
  hosts: GitHubHosts,
  { repository, parts, isFile }: Extract<GitHubPlace, { kind: "repository" }>,
): Promise<UdfSource | null> {
  const raw = (file: readonly string[]) =>
    fetch(`${hosts.raw}/${repository}/${encode([...(parts.length ? parts : ["HEAD"]), ...file])}`);
  const name = parts.at(-1) ?? (repository.split("/")[1] as string);
  if (isFile) {
    const bytes = await raw([]);
    return bytes && sourceFromFiles({ [name]: bytes }, name.replace(/\.[^.]*$/, ""));
  }
  // What Fused writes says which files it has: no need to ask for a list, of which GitHub gives few.
  const described = await raw(["meta.json"]);
  const meta = readMeta(described ? decodeText(described) : undefined);
  const wanted = meta
    ? ["meta.json", meta.source, ...meta.moduleNames.keys()]
    : await listFolder(fetch, hosts, repository, parts);
  if (!wanted) return null;
  checkCount(wanted.length);
  const files: Files = described ? { "meta.json": described } : {};
  for (const file of new Set(wanted)) {
    if (file in files) continue;
    const bytes = await raw(file.split("/"));
    if (bytes) files[file] = bytes;
  }
  return sourceFromFiles(files, name);
}

/** The source files of a folder; null where there is no such folder. */
async function listFolder(
  fetch: Fetch,
  hosts: GitHubHosts,
  repository: string,
  parts: readonly string[],
): Promise<string[] | null> {
  // Where the branch's name ends is not known: most have no slashes.
  for (
    let branch = Math.min(1, parts.length);
    branch <= Math.min(MOST_BRANCH_PARTS, parts.length);
    branch++
  ) {
    const query = branch === 0 ? "" : `?ref=${encodeURIComponent(parts.slice(0, branch).join("/"))}`;
    const listed = await fetch(
      `${hosts.api}/repos/${repository}/contents/${encode(parts.slice(branch))}${query}`,
    );
    if (!listed) continue;
    const entries = parse(listed);
    if (!Array.isArray(entries))
      throw new UdfLoadError("Cannot load from GitHub: it is no folder; give its …/blob/… address");
    return entries
      .filter((entry) => entry?.type === "file" && typeof entry.name === "string" && isSourcePath(entry.name))
      .map(({ name }) => name as string);
  }
  return null;
}

async function readGist(fetch: Fetch, hosts: GitHubHosts, id: string): Promise<UdfSource | null> {
  const answer = await fetch(`${hosts.api}/gists/${id}`);
  if (!answer) return null;
  const { files: listed = {} } = (parse(answer) ?? {}) as { files?: Record<string, unknown> };
  const files: Files = {};
  for (const [name, file] of Object.entries(listed)) {
    const { content, truncated } = (file ?? {}) as { content?: unknown; truncated?: unknown };
    if (!isSourcePath(name) || typeof content !== "string") continue;
    if (truncated === true) throw new UdfLoadError(`Cannot load the gist: ${showText(name)} is too large`);
    files[name] = new TextEncoder().encode(content);
  }
  checkCount(Object.keys(files).length);
  return sourceFromFiles(files, id);
}

function checkCount(count: number): void {
  if (count > MOST_FILES)
    throw new UdfLoadError(
      `Cannot load from GitHub: it has ${count} source files; at most ${MOST_FILES} are read`,
    );
}

function parse(bytes: Uint8Array): unknown {
  if (bytes.length <= MOST_LIST_BYTES) {
    try {
      return JSON.parse(decodeText(bytes));
    } catch {
      // Refused below.
    }
  }
  throw new UdfLoadError("Cannot load from GitHub: its answer is no list");
}

const decodeText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

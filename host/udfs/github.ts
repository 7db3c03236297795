/** Where a UDF lies on GitHub, by the address that a browser shows. */
import { UdfLoadError } from "../../runtime/errors.ts";
import { showText } from "../../runtime/show.ts";
import { isSourcePath, unsafePath } from "./paths.ts";

/** Where files are asked for. GitHub's own, or a server that answers as they do. */
export interface GitHubHosts {
  /** `https://api.github.com` */
  api: string;
  /** `https://raw.githubusercontent.com` */
  raw: string;
}

export const GITHUB: GitHubHosts = {
  api: "https://api.github.com",
  raw: "https://raw.githubusercontent.com",
};

/** A file or a folder of a repository; or a gist. */
export type GitHubPlace =
  | {
      kind: "repository";
      repository: string;
      /** The branch, tag or commit and the path, in one: a branch's name may have slashes. Empty: the repository's own folder. */
      parts: readonly string[];
      isFile: boolean;
    }
  | { kind: "gist"; id: string };

const OWNER = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
const REPOSITORY = /^(?!\.{1,2}$)[\w.-]{1,100}$/;
const GIST = /^[0-9a-f]{20,64}$/;

/** @throws UdfLoadError for what is no such address */
export function readPlace(text: string): GitHubPlace {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const parts = url?.pathname.split("/").filter((part) => part !== "") ?? [];
  if (url?.protocol !== "https:" || url.username || url.password || url.port) throw noPlace(text);
  if (url.hostname === "gist.github.com") {
    const id = parts.find((part) => GIST.test(part));
    if (id === undefined) throw noPlace(text);
    return { kind: "gist", id };
  }
  const [owner = "", name = "", what, ...rest] = parts;
  const repository = name.replace(/\.git$/, "");
  if (url.hostname !== "github.com" || !OWNER.test(owner) || !REPOSITORY.test(repository))
    throw noPlace(text);
  const isBlob = what === "blob" || what === "raw";
  if ((what !== undefined && what !== "tree" && !isBlob) || (isBlob && rest.length < 2)) throw noPlace(text);
  return {
    kind: "repository",
    repository: `${owner}/${repository}`,
    parts: rest.map((part) => decode(part, text)),
    // GitHub shows a folder at such an address, too.
    isFile: isBlob && isSourcePath(rest.at(-1) as string),
  };
}

function decode(part: string, text: string): string {
  try {
    const plain = decodeURIComponent(part);
    if (!plain.includes("/") && !unsafePath(plain)) return plain;
  } catch {
    // Refused below.
  }
  throw noPlace(text);
}

/** Parts of a path as they stand in a URL. */
export const encode = (parts: readonly string[]): string => parts.map(encodeURIComponent).join("/");

const noPlace = (text: string) =>
  new UdfLoadError(
    `Cannot load ${showText(text)}: an address is https://github.com/OWNER/REPOSITORY/tree/BRANCH/FOLDER, …/blob/BRANCH/FILE, or a gist's`,
  );

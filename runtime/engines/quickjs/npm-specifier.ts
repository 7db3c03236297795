/** What a specifier of a package says: `npm:d3-array@3`, `npm:@scope/name@^1/sub`, `d3-array/src/max.js`. */

export interface PackageSpecifier {
  name: string;
  /** A range, a version or a tag; empty where none is named. */
  range: string;
  /** What follows: empty, or `sub/path`. */
  subpath: string;
  /** Written with `npm:`; else it is looked for beside the UDF only. */
  isNpm: boolean;
}

const NPM = /^npm:\/?((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:@([^/]+))?(?:\/(.*))?$/;
const BARE = /^((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:\/(.*))?$/;

/** Modules of Node, without their prefix. Source: `builtinModules` of node:module, Node 26. */
const BUILTINS = new Set(
  "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib".split(
    " ",
  ),
);

/** Whether a specifier names a module of Node. */
export const isBuiltin = (specifier: string): boolean =>
  specifier.startsWith("node:") || BUILTINS.has(specifier.split("/")[0] as string);

/** What a specifier is called in a tree and in a lock file: all but the subpath. */
export const keyOf = ({ name, range, isNpm }: PackageSpecifier): string =>
  `${isNpm ? "npm:" : ""}${name}${range === "" ? "" : `@${range}`}`;

/** @returns null for what names no package */
export function parseSpecifier(specifier: string): PackageSpecifier | null {
  if (specifier.startsWith("npm:")) {
    const [, name, range = "", subpath = ""] = NPM.exec(specifier) ?? [];
    return name === undefined ? null : { name, range: range.trim(), subpath, isNpm: true };
  }
  const [, name, subpath = ""] = BARE.exec(specifier) ?? [];
  return name === undefined ? null : { name, range: "", subpath, isNpm: false };
}

/**
 * Which modules a Python source imports, found without Python: enough to choose packages before an interpreter runs. Strings and
 * comments are skipped; an import made by other means (importlib) is not seen and must be declared.
 */

/** Strings, comments and line joins in the order in which they may start. Source: docs.python.org/3/reference/lexical_analysis.html */
const SKIP =
  /(?:[rbuft]{0,2})("""|''')(?:\\[\s\S]|(?!\1)[\s\S])*(?:\1|$)|(?:[rbuft]{0,2})(["'])(?:\\[\s\S]|(?!\2)[^\n\\])*\2?|#[^\n]*|\\\r?\n/gi;

/** Top-level names of the modules that `code` imports absolutely, in order of appearance. */
export function scanImports(code: string): string[] {
  const bare = code.replace(SKIP, (part) => (part.startsWith("#") ? "" : part.startsWith("\\") ? " " : '""'));
  const found = new Set<string>();
  for (const statement of bare.matchAll(
    /(?:^|[;:\n])[ \t]*(?:import[ \t]+([^\n;#]+)|from[ \t]+([\w.]+)[ \t]+import\b)/g,
  )) {
    const [, list, from] = statement;
    for (const part of (from ?? list ?? "").split(",")) {
      const name = /^\s*([A-Za-z_]\w*)/.exec(part)?.[1];
      if (name && !(from ?? part).trim().startsWith(".")) found.add(name);
    }
  }
  return [...found];
}

/** The syntax tree of a UDF's source, as @babel/parser makes it, read field by field. */
import { type ParserOptions, parse } from "@babel/parser";
import { UdfLoadError } from "../../errors.ts";

export interface Node {
  type: string;
  start: number;
  end: number;
  loc: { start: { line: number; column: number } };
  [field: string]: unknown;
}

/** A source file: what messages and annotation texts are taken from. */
export interface SourceText {
  file: string;
  code: string;
}

const isNode = (value: unknown): value is Node =>
  value !== null && typeof value === "object" && typeof (value as Node).type === "string";

/** The child in a field, or null. */
export function child(node: Node, field: string): Node | null {
  const value = node[field];
  return isNode(value) ? value : null;
}

/** The children in a field; holes are left out. */
export function children(node: Node, field: string): Node[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** A field's text, or an empty one. */
export function text(node: Node | null, field: string): string {
  const value = node?.[field];
  return typeof value === "string" ? value : "";
}

/** The source that a node was read from. */
export function sourceOf(node: Node, { code }: SourceText): string {
  return code.slice(node.start, node.end);
}

/** Visits all nodes, parents first. */
export function visit(node: Node, see: (node: Node) => void): void {
  const open: Node[] = [node];
  for (let next = open.pop(); next; next = open.pop()) {
    see(next);
    const below: Node[] = [];
    for (const value of Object.values(next)) {
      if (isNode(value)) below.push(value);
      else if (Array.isArray(value)) below.push(...value.filter(isNode));
    }
    open.push(...below.reverse());
  }
}

/**
 * Parses a module; `.js` and `.mjs` files as JavaScript, all others as TypeScript.
 * @throws UdfLoadError for a syntax error, with its place
 */
export function parseSource(source: SourceText): Node[] {
  const plugins: ParserOptions["plugins"] = ["decorators", "decoratorAutoAccessors"];
  if (!/\.[cm]?js$/.test(source.file)) plugins.push("typescript");
  try {
    const { program } = parse(source.code, { sourceType: "module", plugins });
    return program.body as unknown as Node[];
  } catch (error) {
    const { loc, message } = error as Error & { loc?: { line: number; column: number } };
    if (error instanceof RangeError) {
      throw new UdfLoadError(
        `Cannot read ${source.file}: an expression in it is nested too deeply or too long`,
        {
          location: { file: source.file },
          cause: error,
        },
      );
    }
    const said = message.replace(/\s*\(\d+:\d+\)$/, "");
    if (!loc)
      throw new UdfLoadError(`Cannot read ${source.file}: ${said}`, {
        location: { file: source.file },
        cause: error,
      });
    const location = { file: source.file, line: loc.line, column: loc.column + 1 };
    throw new UdfLoadError(`${source.file}:${location.line}:${location.column}: SyntaxError: ${said}`, {
      location,
      cause: error,
    });
  }
}

/** The error for a source that is no usable UDF, at a node or at a place whose column counts from 0. */
export function loadError(
  message: string,
  at: Node | Node["loc"]["start"],
  { file }: SourceText,
): UdfLoadError {
  const { line, column } = "loc" in at ? at.loc.start : at;
  const location = { file, line, column: column + 1 };
  return new UdfLoadError(`${location.file}:${location.line}:${location.column}: ${message}`, { location });
}

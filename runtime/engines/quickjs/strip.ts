/**
 * Takes the types out of TypeScript and puts spaces in their place, so that every line and column stays where it was.
 * For syntax that means something at run time (enums, decorators, …) see `needsTransform`.
 */
import { child, children, type Node, text } from "./ast.ts";

/** Statements that are types alone. */
const TYPE_STATEMENTS = new Set([
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
  "TSDeclareFunction",
  "TSNamespaceExportDeclaration",
]);

const CLASS_TYPES = new Set(["TSIndexSignature", "TSDeclareMethod"]);

const MODIFIERS = new Set(["public", "private", "protected", "readonly", "override", "abstract", "declare"]);

/** Line ends, which stay. Source: ECMA-262, LineTerminator. */
const NOT_LINE_END = /[^\n\r\u2028\u2029]/g;

/** Thrown inside for what spaces cannot do. */
class Unstrippable extends Error {}

/** The names that a module uses as values: an import of any other name is of a type, or for nothing. */
function valueNames(body: readonly Node[]): Set<string> {
  const names = new Set<string>();
  const walk = (node: Node): void => {
    if (node.type === "Identifier") names.add(text(node, "name"));
    if (node.type === "ImportDeclaration" || node.declare === true || node.exportKind === "type") return;
    if (node.type.startsWith("TS")) {
      // `x as T`, `x!`: the expression is a value, the rest is a type.
      const expression = child(node, "expression");
      if (expression && node.type !== "TSInterfaceHeritage" && node.type !== "TSClassImplements")
        walk(expression);
      return;
    }
    const named =
      (node.type === "MemberExpression" || node.type === "OptionalMemberExpression") && node.computed !== true
        ? "property"
        : null;
    // A shorthand property's value is the name again.
    const keyed = /Property$|Method$/.test(node.type) && node.computed !== true ? "key" : null;
    for (const [field, value] of Object.entries(node)) {
      if (field === named || field === keyed || field === "exported" || field === "implements") continue;
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== null && typeof item === "object" && typeof (item as Node).type === "string")
          walk(item as Node);
      }
    }
  };
  for (const statement of body) walk(statement);
  return names;
}

/**
 * The module as JavaScript of the same length.
 * @param body what `parseSource` made of `code`
 * @returns null where taking types away would leave other code than was meant (a line break where JavaScript allows none)
 */
export function stripTypes(code: string, body: readonly Node[]): string | null {
  const used = valueNames(body);
  const cuts: { start: number; end: number; fill: string }[] = [];
  const cut = (start: number, end: number, fill = "") => {
    cuts.push({ start, end, fill });
  };
  /** After a statement or a class member that is gone, the one before it must not run into the one behind it. */
  const cutStatement = (node: Node) => cut(node.start, node.end, ";");
  const skipSpace = (at: number): number => {
    const rest = /^(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)*/.exec(code.slice(at));
    return at + (rest?.[0].length ?? 0);
  };
  /** The end of an element of a list with the comma behind it. */
  const withComma = (end: number): number => {
    const at = skipSpace(end);
    return code[at] === "," ? at + 1 : end;
  };
  const sameLine = (start: number, end: number) => {
    if (/[\n\r\u2028\u2029]/.test(code.slice(start, end))) throw new Unstrippable();
  };

  /** `expression as T`, `expression!`: what is behind the expression. */
  const cutBehind = (node: Node, last: boolean) => {
    const inner = child(node, "expression") as Node;
    // An expression in brackets ends behind the bracket.
    let end = inner.end;
    for (let at = skipSpace(end); code[at] === ")"; at = skipSpace(end)) end = at + 1;
    cut(end, node.end, last && code[node.end] !== ";" ? ";" : "");
  };

  const cutModifiers = (node: Node, until: number) => {
    let at = node.start;
    for (const decorator of children(node, "decorators")) at = Math.max(at, decorator.end);
    let first = true;
    while (at < until) {
      at = skipSpace(at);
      const word = /^[a-z]+/.exec(code.slice(at, until))?.[0];
      if (word === undefined) break;
      if (MODIFIERS.has(word)) {
        cut(at, at + word.length, first && node.type !== "ClassDeclaration" ? ";" : "");
      } else if (word !== "static" && word !== "async") break;
      first = false;
      at += word.length;
    }
  };

  const cutMark = (from: number, mark: string) => {
    const at = skipSpace(from);
    if (code[at] === mark) cut(at, at + 1);
  };

  const walkClass = (node: Node) => {
    if (node.abstract === true) cutModifiers(node, (child(node, "body") as Node).start);
    const interfaces = children(node, "implements");
    if (interfaces.length > 0) {
      const before = ["superTypeArguments", "superTypeParameters", "superClass", "typeParameters", "id"]
        .map((field) => child(node, field))
        .find((found) => found !== null);
      const from = code.indexOf("implements", before?.end ?? node.start);
      cut(from, (interfaces.at(-1) as Node).end);
    }
  };

  const walkImport = (node: Node) => {
    const specifiers = children(node, "specifiers");
    const gone = specifiers.filter(
      (specifier) => specifier.importKind === "type" || !used.has(text(child(specifier, "local"), "name")),
    );
    if (node.importKind === "type" || (specifiers.length > 0 && gone.length === specifiers.length)) {
      cutStatement(node);
      return;
    }
    // A default import that is gone leaves a list, a list that is gone leaves a default import: too rare for an own rule.
    if (gone.some(({ type }) => type !== "ImportSpecifier")) throw new Unstrippable();
    for (const specifier of gone) cut(specifier.start, withComma(specifier.end));
  };

  const walkExport = (node: Node, types: ReadonlySet<string>) => {
    for (const specifier of children(node, "specifiers")) {
      const name = text(child(specifier, "local"), "name");
      if (specifier.exportKind === "type" || (!node.source && types.has(name)))
        cut(specifier.start, withComma(specifier.end));
    }
  };

  const types = new Set<string>();
  const values = new Set<string>();
  for (const statement of body) {
    const node = child(statement, "declaration") ?? statement;
    if (TYPE_STATEMENTS.has(node.type) && node.type !== "TSDeclareFunction")
      types.add(text(child(node, "id"), "name"));
    else if (/^(Class|Function)Declaration$/.test(node.type)) values.add(text(child(node, "id"), "name"));
    for (const declarator of children(node, "declarations"))
      values.add(text(child(declarator, "id"), "name"));
    if (statement.type !== "ImportDeclaration") continue;
    for (const specifier of children(statement, "specifiers")) {
      const name = text(child(specifier, "local"), "name");
      if (statement.importKind === "type" || specifier.importKind === "type") types.add(name);
    }
  }
  for (const name of values) types.delete(name);

  /** Whether a statement or class member is there for its types alone. */
  const isType = (node: Node): boolean => {
    const declaration = child(node, "declaration");
    if (TYPE_STATEMENTS.has(node.type) || node.declare === true || node.exportKind === "type") return true;
    if (declaration && (TYPE_STATEMENTS.has(declaration.type) || declaration.declare === true)) return true;
    return (
      CLASS_TYPES.has(node.type) ||
      (node.abstract === true && !/^Class(Declaration|Expression)$/.test(node.type))
    );
  };

  /** @param last the node ends the statement that holds it */
  const walk = (node: Node, last: boolean): void => {
    if (isType(node)) {
      cutStatement(node);
      return;
    }
    let open = node;
    switch (node.type) {
      case "TSTypeAnnotation":
      case "TSTypeParameterDeclaration":
      case "TSTypeParameterInstantiation":
        cut(node.start, node.end);
        return;
      case "ImportDeclaration":
        walkImport(node);
        return;
      case "ExportNamedDeclaration":
        walkExport(node, types);
        break;
      case "TSAsExpression":
      case "TSSatisfiesExpression":
      case "TSNonNullExpression":
      case "TSInstantiationExpression":
        cutBehind(node, last);
        walk(child(node, "expression") as Node, false);
        return;
      case "TSTypeAssertion":
        open = child(node, "expression") as Node;
        sameLine(node.start, open.start);
        cut(node.start, open.start);
        walk(open, last);
        return;
      case "ClassDeclaration":
      case "ClassExpression":
        walkClass(node);
        break;
      case "ClassProperty":
      case "ClassMethod":
      case "ClassPrivateMethod":
      case "ClassPrivateProperty": {
        const key = child(node, "key") as Node;
        cutModifiers(node, key.start);
        const end = node.computed === true ? code.indexOf("]", key.end) + 1 : key.end;
        if (node.optional === true) cutMark(end, "?");
        if (node.definite === true) cutMark(end, "!");
        break;
      }
      case "VariableDeclarator":
        if (node.definite === true)
          cutMark((child(node, "id") as Node).start + text(child(node, "id"), "name").length, "!");
        break;
      case "Identifier":
        if (node.optional === true) cutMark(node.start + text(node, "name").length, "?");
        break;
      case "ObjectPattern":
      case "ArrayPattern":
        if (node.optional === true) cutMark((child(node, "typeAnnotation")?.start ?? node.end) - 1, "?");
        break;
      case "ArrowFunctionExpression": {
        const typeParameters = child(node, "typeParameters");
        const returns = child(node, "returnType");
        if (typeParameters) sameLine(node.start, typeParameters.end);
        if (returns) sameLine(returns.start, skipSpace(returns.end));
        break;
      }
    }
    const params = children(node, "params");
    const self = params[0] && text(params[0], "name") === "this" ? params[0] : null;
    if (self) cut(self.start, withComma(self.end));
    for (const value of Object.values(open)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item === null || typeof item !== "object" || typeof (item as Node).type !== "string") continue;
        if (self !== null && item === self) continue;
        if (node.implements && children(node, "implements").includes(item as Node)) continue;
        walk(
          item as Node,
          (item as Node).end === node.end &&
            (last || /Statement$|^VariableDeclaration$|^ClassProperty$|^Export/.test(node.type)),
        );
      }
    }
  };
  try {
    for (const statement of body) walk(statement, false);
  } catch (error) {
    if (error instanceof Unstrippable) return null;
    throw error;
  }
  return blank(code, cuts);
}

function blank(code: string, cuts: { start: number; end: number; fill: string }[]): string {
  let out = "";
  let at = 0;
  for (const { start, end, fill } of cuts.sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (end <= at) continue;
    const from = Math.max(start, at);
    const spaces = code.slice(from, end).replace(NOT_LINE_END, " ");
    out += code.slice(at, from) + (fill && /^ /.test(spaces) ? fill + spaces.slice(1) : spaces);
    at = end;
  }
  return out + code.slice(at);
}

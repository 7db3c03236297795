/** Reads a TypeScript or JavaScript UDF: what it declares, from its syntax tree alone. Nothing of it runs. */
import { UdfLoadError } from "../../errors.ts";
import { isRecord } from "../../record.ts";
import type { Header, Parameter, RequestedPermissions } from "../../udf.ts";
import { child, children, loadError, type Node, parseSource, type SourceText, text, visit } from "./ast.ts";
import { bare, readLiteral, readProperties } from "./literal.ts";
import { GUEST_MODULE } from "./ops.ts";
import { readParameters } from "./parameters.ts";
import type { CallPlan } from "./plan.ts";

/** A specifier that the source imports, and where. */
export interface ImportUse {
  specifier: string;
  line: number;
  column: number;
  /** Written as `import type` or `export type`: gone at run time. */
  typeOnly: boolean;
}

/** A UDF's source as somebody wrote it. */
export interface TypeScriptSource {
  name: string;
  code: string;
  file: string;
  headers: readonly Header[];
}

/** What reading a source tells. */
export interface UdfReading {
  /** The `name` option, or the source's name. */
  name: string;
  /** The name of the default-exported function, or `default`. */
  entrypoint: string;
  parameters: readonly Parameter[];
  permissions: RequestedPermissions;
  packages: readonly string[];
  /** The `metadata` option, with `description` and `cacheMaxAge` where they are given. */
  metadata: Readonly<Record<string, unknown>>;
  imports: readonly ImportUse[];
  plan: CallPlan;
  /** Taking types away is not enough: it has syntax that has to be rewritten (enums, decorators, `using`, …). */
  needsTransform: boolean;
}

/** The options of `udf()` and what each must be. */
const OPTIONS: Record<string, { rule: string; check(value: unknown): boolean }> = {
  name: { rule: "a text", check: (value) => typeof value === "string" && value !== "" },
  description: { rule: "a text", check: (value) => typeof value === "string" },
  packages: {
    rule: "a list of texts",
    check: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  },
  cacheMaxAge: {
    rule: "a number of seconds or a text",
    check: (value) => typeof value === "number" || typeof value === "string",
  },
  permissions: { rule: "an object", check: isRecord },
  parameters: { rule: "an object", check: isRecord },
  metadata: { rule: "an object", check: isRecord },
};

/** Syntax that has no meaning in JavaScript, or that QuickJS lacks. */
const TRANSFORMED = new Set([
  "TSEnumDeclaration",
  "TSModuleDeclaration",
  "TSParameterProperty",
  "TSExportAssignment",
  "TSImportEqualsDeclaration",
  "Decorator",
  "ClassAccessorProperty",
]);

/**
 * Reads a UDF's entry file.
 * @throws UdfLoadError with the place: a syntax error; no default export, or one that is no function; options that are no literals
 */
export function readTypeScript(source: TypeScriptSource): UdfReading {
  const body = parseSource(source);
  const scope = new Map(body.flatMap(bindings));
  const found = findDefault(body, source);
  const { fn, name, options } = findFunction(found, scope, source);
  const given = options ? readOptions(options, source) : {};
  const { parameters, plan } = readParameters(
    fn,
    body,
    (given.parameters ?? {}) as Record<string, unknown>,
    source,
  );
  const extra = ["description", "cacheMaxAge"]
    .filter((name) => given[name] !== undefined)
    .map((name) => [name, given[name]]);
  return {
    name: (given.name as string | undefined) ?? source.name,
    entrypoint: name || "default",
    parameters,
    permissions: (given.permissions ?? {}) as RequestedPermissions,
    packages: (given.packages ?? []) as string[],
    metadata: { ...(given.metadata as object | undefined), ...Object.fromEntries(extra) },
    imports: readImports(body),
    plan,
    needsTransform: needsTransform(body),
  };
}

/** The names that a statement declares at the top level. */
function bindings(statement: Node): [string, Node][] {
  const node =
    statement.type === "ExportNamedDeclaration" ? (child(statement, "declaration") ?? statement) : statement;
  switch (node.type) {
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return [[text(child(node, "id"), "name"), node]];
    case "VariableDeclaration":
      return children(node, "declarations").flatMap((declarator): [string, Node][] => {
        const init = child(declarator, "init");
        return init ? [[text(child(declarator, "id"), "name"), init]] : [];
      });
    case "ImportDeclaration":
      return children(node, "specifiers").map((specifier): [string, Node] => [
        text(child(specifier, "local"), "name"),
        { ...specifier, from: text(child(node, "source"), "value") },
      ]);
    default:
      return [];
  }
}

function findDefault(body: readonly Node[], source: SourceText): Node {
  let found: Node | null = null;
  for (const statement of body) {
    if (statement.type === "TSExportAssignment") {
      throw loadError("Cannot use `export =`: a UDF is the module's default export", statement, source);
    }
    if (statement.type === "ExportDefaultDeclaration") {
      const declaration = child(statement, "declaration") as Node;
      // The signatures of an overloaded function come before it.
      if (declaration.type === "TSDeclareFunction" || declaration.type === "TSInterfaceDeclaration") continue;
      if (found)
        throw loadError(
          "Cannot tell which function is the UDF: there are two default exports",
          statement,
          source,
        );
      found = declaration;
    }
    if (statement.type !== "ExportNamedDeclaration") continue;
    for (const specifier of children(statement, "specifiers")) {
      const exported = child(specifier, "exported");
      if ((text(exported, "name") || text(exported, "value")) !== "default") continue;
      if (statement.source)
        throw loadError(
          "Cannot use a default export of another file: the UDF must be declared in this one",
          specifier,
          source,
        );
      found = child(specifier, "local");
    }
  }
  if (found) return found;
  throw new UdfLoadError(
    `${source.file}: no UDF: it has no default export; write \`export default function …\` or \`export default udf({…}, …)\``,
    { location: { file: source.file } },
  );
}

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

/** Follows names and `udf()` to the function. */
function findFunction(
  found: Node,
  scope: ReadonlyMap<string, Node>,
  source: SourceText,
): { fn: Node; name: string; options: Node | null } {
  let node = bare(found);
  let options: Node | null = null;
  let name = "";
  for (let steps = 0; steps < 10; steps++) {
    if (FUNCTIONS.has(node.type)) {
      if (node.generator === true)
        throw loadError("Cannot use a generator function as the UDF: return a list", found, source);
      return { fn: node, name: text(child(node, "id"), "name") || name, options };
    }
    if (node.type === "Identifier") {
      name = text(node, "name");
      const target = scope.get(name);
      if (!target) break;
      if (text(target, "from")) {
        throw loadError(
          `Cannot use ${name} of ${JSON.stringify(text(target, "from"))} as the UDF: it must be declared in this file`,
          found,
          source,
        );
      }
      node = bare(target);
    } else if (node.type === "CallExpression" && isUdfCall(node, scope)) {
      const [first, second] = children(node, "arguments");
      if (!first || !second)
        throw loadError("Cannot read udf(): it takes an object of options and a function", node, source);
      options = resolve(first, scope);
      if (options.type !== "ObjectExpression")
        throw loadError("Cannot read udf(): its options must be an object literal", first, source);
      node = bare(second);
    } else break;
  }
  const what =
    node.type === "ClassDeclaration" || node.type === "ClassExpression" ? "a class" : "no function";
  throw loadError(
    `Cannot use the default export as a UDF: it must be a function or udf({…}, function): it is ${what}`,
    found,
    source,
  );
}

function resolve(node: Node, scope: ReadonlyMap<string, Node>): Node {
  const expression = bare(node);
  const target = expression.type === "Identifier" ? scope.get(text(expression, "name")) : undefined;
  return target ? bare(target) : expression;
}

function isUdfCall(call: Node, scope: ReadonlyMap<string, Node>): boolean {
  const callee = bare(child(call, "callee") as Node);
  const member = callee.type === "MemberExpression" ? text(child(callee, "property"), "name") : null;
  const name = text(member === null ? callee : child(callee, "object"), "name");
  const binding = scope.get(name);
  if (!binding || text(binding, "from") !== GUEST_MODULE) return false;
  if (member !== null) return member === "udf" && binding.type === "ImportNamespaceSpecifier";
  const imported = child(binding, "imported");
  return (text(imported, "name") || text(imported, "value")) === "udf";
}

function readOptions(object: Node, source: SourceText): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const { name, value, node } of readProperties(object, "the options of udf()", source)) {
    const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    if (!option) {
      throw loadError(
        `Cannot read udf(): unknown option ${JSON.stringify(name)}; options are ${Object.keys(OPTIONS).join(", ")}`,
        node,
        source,
      );
    }
    const read = readLiteral(value, name, source);
    if (!option.check(read))
      throw loadError(`Cannot read udf(): ${name} must be ${option.rule}`, value, source);
    options[name] = read;
  }
  return options;
}

/** All imports of a module, re-exports and `import()` of a text included. */
export function readImports(body: readonly Node[]): ImportUse[] {
  const imports: ImportUse[] = [];
  const add = (specifier: Node | null, typeOnly: boolean) => {
    if (specifier?.type !== "StringLiteral") return;
    const { line, column } = specifier.loc.start;
    imports.push({ specifier: text(specifier, "value"), line, column: column + 1, typeOnly });
  };
  for (const statement of body) {
    visit(statement, (node) => {
      if (node.type === "ImportExpression") add(child(node, "source"), false);
      if (!/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type)) return;
      add(child(node, "source"), node.importKind === "type" || node.exportKind === "type");
    });
  }
  return imports;
}

/** Whether the module has syntax that has to be rewritten for QuickJS. */
export function needsTransform(body: readonly Node[]): boolean {
  let found = false;
  for (const statement of body) {
    visit(statement, (node) => {
      if (TRANSFORMED.has(node.type) && node.declare !== true) found = true;
      if (node.type === "VariableDeclaration" && /using/.test(text(node, "kind"))) found = true;
    });
  }
  return found;
}

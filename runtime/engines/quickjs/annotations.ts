/** Type annotations, as far as parameters are converted to them. What cannot be told from the same file is `any`. */
import { child, children, type Node, type SourceText, sourceOf, text } from "./ast.ts";
import { plainTemplate, propertyName } from "./literal.ts";
import type { FieldPlan, TypePlan } from "./plan.ts";

export interface ObjectType {
  object: Record<string, FieldPlan>;
  rest: TypePlan | null;
  /** The annotation text of each field. */
  texts: Record<string, string | null>;
}

const KEYWORDS: Record<string, TypePlan> = {
  TSStringKeyword: "string",
  TSNumberKeyword: "number",
  TSBooleanKeyword: "boolean",
  TSBigIntKeyword: "bigint",
  TSNullKeyword: "null",
  TSUndefinedKeyword: "undefined",
  TSVoidKeyword: "undefined",
};

const NAMED: Record<string, TypePlan> = {
  Date: "date",
  Uint8Array: "bytes",
  Tile: "tile",
  Bounds: "bounds",
  String: "string",
  Number: "number",
  Boolean: "boolean",
};

/** Reads annotations against the interfaces and type aliases that a file declares. */
export class Annotations {
  readonly #source: SourceText;
  readonly #declared = new Map<string, Node[]>();
  /** Names that are being resolved: a type that holds itself is `any` inside. */
  readonly #open = new Set<string>();

  constructor(body: readonly Node[], source: SourceText) {
    this.#source = source;
    for (const statement of body) {
      const exported =
        statement.type === "ExportNamedDeclaration" || statement.type === "ExportDefaultDeclaration";
      const node = exported ? child(statement, "declaration") : statement;
      if (node?.type !== "TSInterfaceDeclaration" && node?.type !== "TSTypeAliasDeclaration") continue;
      const name = text(child(node, "id"), "name");
      this.#declared.set(name, [...(this.#declared.get(name) ?? []), node]);
    }
  }

  /** The annotation's source text. `holder` is a parameter, a pattern or a property signature. */
  text(holder: Node): string | null {
    const annotation = this.#annotation(holder);
    return annotation && sourceOf(annotation, this.#source);
  }

  /** The type of what `holder` annotates. */
  plan(holder: Node): TypePlan {
    const annotation = this.#annotation(holder);
    return annotation ? this.#type(annotation) : "any";
  }

  /** The object type that `holder` is annotated with, or null where it is another type or unknown. */
  object(holder: Node): ObjectType | null {
    const annotation = this.#annotation(holder);
    return annotation && this.#object(annotation);
  }

  #annotation(holder: Node): Node | null {
    const annotation = child(holder, "typeAnnotation");
    return annotation?.type === "TSTypeAnnotation" ? child(annotation, "typeAnnotation") : annotation;
  }

  #type(node: Node): TypePlan {
    const keyword = KEYWORDS[node.type];
    if (keyword) return keyword;
    const inner = () => this.#type(child(node, "typeAnnotation") as Node);
    switch (node.type) {
      case "TSParenthesizedType":
        return inner();
      case "TSTypeOperator":
        return node.operator === "readonly" ? inner() : "any";
      case "TSArrayType":
        return { array: this.#type(child(node, "elementType") as Node) };
      case "TSTupleType":
        return this.#tuple(node);
      case "TSUnionType":
        return { union: children(node, "types").map((type) => this.#type(type)) };
      case "TSLiteralType":
        return literal(child(node, "literal") as Node);
      case "TSTypeReference":
        return this.#reference(node);
      case "TSObjectKeyword":
        return { object: {}, rest: "any" };
    }
    const object = this.#object(node);
    return object ? { object: object.object, rest: object.rest } : "any";
  }

  #tuple(node: Node): TypePlan {
    const elements = children(node, "elementTypes").map((element) =>
      element.type === "TSNamedTupleMember"
        ? { ...(child(element, "elementType") as Node), optional: element.optional }
        : element,
    );
    // Optional and rest elements have no fixed length: a list of anything.
    if (
      elements.some(
        (element) => element.type === "TSRestType" || element.type === "TSOptionalType" || element.optional,
      )
    ) {
      return { array: "any" };
    }
    return { tuple: elements.map((element) => this.#type(element)) };
  }

  #reference(node: Node): TypePlan {
    const name = text(child(node, "typeName"), "name");
    const args = children(child(node, "typeArguments") ?? node, "params");
    const local = this.#declared.get(name);
    if (local) {
      return this.#within(name, "any", () => {
        const [alias] = local;
        if (alias?.type === "TSTypeAliasDeclaration")
          return this.#type(child(alias, "typeAnnotation") as Node);
        const object = this.#object(node, true);
        return object ? { object: object.object, rest: object.rest } : "any";
      });
    }
    if ((name === "Array" || name === "ReadonlyArray") && args[0]) return { array: this.#type(args[0]) };
    const object = this.#object(node);
    if (object) return { object: object.object, rest: object.rest };
    return NAMED[name] ?? "any";
  }

  #within<T>(name: string, cyclic: T, resolve: () => T): T {
    if (this.#open.has(name)) return cyclic;
    this.#open.add(name);
    try {
      return resolve();
    } finally {
      this.#open.delete(name);
    }
  }

  /** @param entered the reference's name is being resolved already */
  #object(node: Node, entered = false): ObjectType | null {
    switch (node.type) {
      case "TSParenthesizedType":
        return this.#object(child(node, "typeAnnotation") as Node);
      case "TSTypeLiteral":
        return this.#members(children(node, "members"));
      case "TSIntersectionType":
        return merge(children(node, "types").map((type) => this.#object(type)));
      case "TSTypeReference":
      case "TSInterfaceHeritage":
        break;
      default:
        return null;
    }
    const name = text(child(node, node.type === "TSTypeReference" ? "typeName" : "expression"), "name");
    const args = children(child(node, "typeArguments") ?? node, "params");
    const local = this.#declared.get(name);
    if (local)
      return entered ? this.#declaration(local) : this.#within(name, null, () => this.#declaration(local));
    const [first, second] = args;
    if (name === "Record" && second) return { object: {}, rest: this.#type(second), texts: {} };
    if ((name === "Readonly" || name === "Partial" || name === "Required") && first) {
      const object = this.#object(first);
      if (!object || name === "Readonly") return object;
      const fields = Object.entries(object.object).map(([key, { type }]) => [
        key,
        { type, optional: name === "Partial" },
      ]);
      return { ...object, object: Object.fromEntries(fields) };
    }
    return null;
  }

  #declaration(nodes: readonly Node[]): ObjectType | null {
    const parts = nodes.flatMap((node) => {
      if (node.type === "TSTypeAliasDeclaration")
        return [this.#object(child(node, "typeAnnotation") as Node)];
      const inherited = children(node, "extends").map(
        (type) => this.#object(type) ?? ({ object: {}, rest: "any", texts: {} } as ObjectType),
      );
      return [...inherited, this.#members(children(child(node, "body") as Node, "body"))];
    });
    return merge(parts);
  }

  #members(members: readonly Node[]): ObjectType {
    const type: ObjectType = { object: {}, rest: null, texts: {} };
    for (const member of members) {
      if (member.type === "TSIndexSignature") type.rest = this.plan(member);
      const name = propertyName(member);
      if (name === null) continue;
      const isProperty = member.type === "TSPropertySignature";
      type.object[name] = {
        type: isProperty ? this.plan(member) : "any",
        optional: member.optional === true,
      };
      type.texts[name] = isProperty ? this.text(member) : null;
    }
    return type;
  }
}

function literal(node: Node): TypePlan {
  if (node.type === "StringLiteral" || node.type === "NumericLiteral" || node.type === "BooleanLiteral") {
    return { literal: node.value as string | number | boolean };
  }
  if (node.type === "UnaryExpression" && node.operator === "-")
    return { literal: -(child(node, "argument")?.value as number) };
  if (node.type !== "TemplateLiteral") return "any";
  const cooked = plainTemplate(node);
  return cooked === null ? "string" : { literal: cooked };
}

function merge(parts: readonly (ObjectType | null)[]): ObjectType | null {
  const merged: ObjectType = { object: {}, rest: null, texts: {} };
  for (const part of parts) {
    if (!part) return null;
    Object.assign(merged.object, part.object);
    Object.assign(merged.texts, part.texts);
    merged.rest ??= part.rest;
  }
  return merged;
}

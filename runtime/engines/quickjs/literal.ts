/** Values that a source writes as literals: read, never run. */
import { child, children, loadError, type Node, type SourceText, sourceOf, text } from "./ast.ts";

/** The name of a property, where it is written plainly. */
export function propertyName(property: Node): string | null {
  const key = child(property, "key");
  if (!key || property.computed === true) return null;
  if (key.type === "Identifier") return text(key, "name");
  return key.type === "StringLiteral" || key.type === "NumericLiteral" ? String(key.value) : null;
}

/** The text of a template without expressions, or null. */
export function plainTemplate(node: Node): string | null {
  const [first, second] = children(node, "quasis");
  return first && !second ? (first.value as { cooked: string }).cooked : null;
}

/** An expression without its type assertions. */
export function bare(node: Node): Node {
  let inner = node;
  while (
    [
      "TSAsExpression",
      "TSSatisfiesExpression",
      "TSNonNullExpression",
      "TSTypeAssertion",
      "TSInstantiationExpression",
      "ParenthesizedExpression",
    ].includes(inner.type)
  ) {
    inner = child(inner, "expression") as Node;
  }
  return inner;
}

/**
 * The value of a literal: texts, numbers, booleans, null, lists and objects of these.
 * @param what names the value in the message
 * @throws UdfLoadError for anything that only running the code would tell
 */
export function readLiteral(expression: Node, what: string, source: SourceText): unknown {
  const node = bare(expression);
  switch (node.type) {
    case "StringLiteral":
    case "NumericLiteral":
    case "BooleanLiteral":
      return node.value;
    case "NullLiteral":
      return null;
    case "TemplateLiteral": {
      const cooked = plainTemplate(node);
      if (cooked !== null) return cooked;
      break;
    }
    case "UnaryExpression": {
      const argument = child(node, "argument") as Node;
      if (node.operator === "-" && argument.type === "NumericLiteral") return -(argument.value as number);
      break;
    }
    case "ArrayExpression": {
      const elements = children(node, "elements");
      if (elements.length === (node.elements as unknown[]).length) {
        return elements.map((element, i) => readLiteral(element, `${what}[${i}]`, source));
      }
      break;
    }
    case "ObjectExpression":
      return Object.fromEntries(
        readProperties(node, what, source).map(({ name, value }) => [
          name,
          readLiteral(value, `${what}.${name}`, source),
        ]),
      );
  }
  throw loadError(
    `Cannot read ${what}: it must be a literal, because the source is read without running it: received ${short(sourceOf(node, source))}`,
    node,
    source,
  );
}

/** The properties of an object literal. @throws UdfLoadError for methods, spreads and computed names */
export function readProperties(
  object: Node,
  what: string,
  source: SourceText,
): { name: string; value: Node; node: Node }[] {
  return children(object, "properties").map((property) => {
    const name = property.type === "ObjectProperty" ? propertyName(property) : null;
    if (name === null) {
      throw loadError(
        `Cannot read ${what}: it must be a literal with plain names: received ${short(sourceOf(property, source))}`,
        property,
        source,
      );
    }
    return { name, value: child(property, "value") as Node, node: property };
  });
}

/** One line of a source text, for messages. */
export function short(code: string): string {
  const line = code.replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

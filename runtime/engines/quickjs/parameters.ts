/** The parameters that a UDF's function declares, and how it is called with them. */
import type { Parameter } from "../../udf.ts";
import { Annotations } from "./annotations.ts";
import { child, children, loadError, type Node, type SourceText, sourceOf, text } from "./ast.ts";
import { propertyName } from "./literal.ts";
import type { CallPlan, ParameterPlan, TypePlan } from "./plan.ts";

/** A single parameter without a type that is called so takes all parameters as one object. */
const OBJECT_NAMES = new Set(["parameters", "params", "args", "options", "input"]);

interface Declared {
  parameter: Parameter;
  plan: ParameterPlan;
}

/**
 * Reads a function's parameters. Each is passed by its name; a single one that is destructured, whose type is an object type of
 * this file, or that is untyped and called parameters, params, args, options or input, takes all as one object.
 * @param defaults values of the `parameters` option of `udf()`
 * @throws UdfLoadError for a parameter without a name, or a default for one that does not exist
 */
export function readParameters(
  fn: Node,
  body: readonly Node[],
  defaults: Record<string, unknown>,
  source: SourceText,
): { parameters: readonly Parameter[]; plan: CallPlan } {
  const types = new Annotations(body, source);
  const nodes = children(fn, "params").filter((node) => text(node, "name") !== "this");
  const [first] = nodes;
  const single = nodes.length === 1 && first ? asObject(first, types, source) : null;
  const declared = single?.fields ?? nodes.map((node) => positional(node, types, source));
  const open = single?.open ?? null;
  for (const name of Object.keys(defaults)) {
    const found = declared.find(({ parameter }) => parameter.name === name);
    if (found) found.plan.optional = true;
    else if (open === null)
      throw loadError(
        `Cannot give a default to ${JSON.stringify(name)}: the UDF has no such parameter`,
        fn,
        source,
      );
  }
  return {
    parameters: declared.map(({ parameter }) => parameter),
    plan: {
      style: single ? "object" : "positional",
      parameters: declared.map(({ plan }) => plan),
      open,
      defaults,
    },
  };
}

/** A parameter without its default. */
function unwrap(node: Node): { target: Node; value: Node | null } {
  if (node.type !== "AssignmentPattern") return { target: node, value: null };
  return { target: child(node, "left") as Node, value: child(node, "right") };
}

function positional(node: Node, types: Annotations, source: SourceText): Declared {
  const { target, value } = unwrap(node);
  const rest = target.type === "RestElement";
  const name = text(rest ? child(target, "argument") : target, "name");
  if (name === "") {
    throw loadError("Cannot name a parameter: only a single parameter may be destructured", target, source);
  }
  const annotation = types.text(target);
  return {
    parameter: {
      name,
      annotation,
      default: value && sourceOf(value, source),
      kind: rest ? "rest" : "positional",
    },
    plan: {
      name,
      annotation,
      type: types.plan(target),
      optional: rest || value !== null || target.optional === true,
      rest,
    },
  };
}

function asObject(
  node: Node,
  types: Annotations,
  source: SourceText,
): { fields: Declared[]; open: TypePlan | null } | null {
  const { target, value } = unwrap(node);
  const object = types.object(target);
  const untyped =
    target.type === "Identifier" && types.text(target) === null && OBJECT_NAMES.has(text(target, "name"));
  if (target.type !== "ObjectPattern" && !object && !untyped) return null;
  const fields = new Map<string, Declared>();
  for (const [name, field] of Object.entries(object?.object ?? {})) {
    const annotation = object?.texts[name] ?? null;
    fields.set(name, {
      parameter: { name, annotation, default: null, kind: "keyword" },
      plan: { name, annotation, type: field.type, optional: field.optional, rest: false },
    });
  }
  let open: TypePlan | null = untyped ? "any" : (object?.rest ?? null);
  for (const property of target.type === "ObjectPattern" ? children(target, "properties") : []) {
    if (property.type === "RestElement") {
      // Without a type the rest may be anything; with one, it is the other fields.
      if (object === null) open = "any";
      continue;
    }
    const name = propertyName(property);
    if (name === null) throw loadError("Cannot name a parameter: its name is computed", property, source);
    const fallback = unwrap(child(property, "value") as Node).value;
    const known = fields.get(name);
    const entry: Declared = known ?? {
      parameter: { name, annotation: null, default: null, kind: "keyword" },
      plan: { name, annotation: null, type: "any", optional: false, rest: false },
    };
    entry.parameter = { ...entry.parameter, default: fallback && sourceOf(fallback, source) };
    // `({ a } = {})` is called with nothing, so nothing is required.
    entry.plan.optional ||= fallback !== null || (object === null && value !== null);
    fields.set(name, entry);
  }
  return { fields: [...fields.values()], open };
}

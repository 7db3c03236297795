/** How a compiled UDF is called: JSON, made by reading its source (source.ts) and carried out inside QuickJS. */

/** A type as far as values are converted to it. */
export type TypePlan =
  | "any"
  | "string"
  | "number"
  | "boolean"
  | "bigint"
  | "date"
  | "bytes"
  | "null"
  | "undefined"
  | "tile"
  | "bounds"
  | { literal: string | number | boolean }
  | { array: TypePlan }
  | { tuple: readonly TypePlan[] }
  | { object: Readonly<Record<string, FieldPlan>>; rest: TypePlan | null }
  | { union: readonly TypePlan[] };

export interface FieldPlan {
  type: TypePlan;
  optional: boolean;
}

export interface ParameterPlan extends FieldPlan {
  name: string;
  /** The annotation's source text, for messages. */
  annotation: string | null;
  /** A rest parameter: takes a list. */
  rest: boolean;
}

/** A UDF's calling convention. */
export interface CallPlan {
  /** `positional`: each parameter is passed by its name, in this order. `object`: all of them as the one argument. */
  style: "positional" | "object";
  parameters: readonly ParameterPlan[];
  /** The type of parameters that are not listed: a rest element's, an index signature's; null where there may be none. */
  open: TypePlan | null;
  /** Values for parameters that a caller leaves out, by name; converted as if he had given them. */
  defaults: Readonly<Record<string, unknown>>;
}

/** A compiled UDF. */
export interface QuickJsUdf {
  name: string;
  /** The entry file's name: where failures in `code` are said to be, until `mapFailure` says where in the source that is. */
  file: string;
  /** An ES module in JavaScript. */
  code: string;
  plan: CallPlan;
}

/** What `openQuickJs`'s engine is asked to run. */
export interface QuickJsRequest {
  /** Null for the one that ran last. */
  udf: QuickJsUdf | null;
  /** The text of the encoded parameters, an object. */
  parameters: string;
  tile: { x: number; y: number; z: number } | null;
}

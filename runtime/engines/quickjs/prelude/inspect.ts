/** Values as text, in Node's manner (util.inspect), for `console` and for error messages. Never throws. */

const MAX_ITEMS = 100;
const MAX_DEPTH = 2;
const LINE = 72;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

const quote = (text: string) => {
  const plain = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  if (!plain.includes("'")) return `'${plain}'`;
  return plain.includes('"') ? `'${plain.replaceAll("'", "\\'")}'` : `"${plain}"`;
};

function key(name: string | symbol): string {
  if (typeof name === "symbol") return `[${String(name)}]`;
  return IDENTIFIER.test(name) ? name : quote(name);
}

/** The name of a value's class, or null for an object without one. */
export function className(value: object): string | null {
  try {
    const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
    return typeof name === "string" && name ? name : null;
  } catch {
    return null;
  }
}

function layout(open: string, parts: string[], close: string, indent: number, spaced: boolean): string {
  if (parts.length === 0) return open + close;
  const length = parts.reduce((sum, part) => sum + part.length + 2, open.length + close.length);
  const pad = spaced ? " " : "";
  if (length + indent <= LINE + 4 && !parts.some((part) => part.includes("\n")))
    return `${open}${pad}${parts.join(", ")}${pad}${close}`;
  const margin = " ".repeat(indent + 2);
  return `${open}\n${margin}${parts.join(`,\n${margin}`)}\n${" ".repeat(indent)}${close}`;
}

function more(parts: string[], total: number): string[] {
  const left = total - MAX_ITEMS;
  if (left > 0) parts.push(`... ${left} more item${left > 1 ? "s" : ""}`);
  return parts;
}

function properties(
  value: object,
  names: readonly (string | symbol)[],
  seen: object[],
  depth: number,
  indent: number,
): string[] {
  return names.map((name) => {
    const property = Object.getOwnPropertyDescriptor(value, name);
    if (property?.get) return `${key(name)}: ${property.set ? "[Getter/Setter]" : "[Getter]"}`;
    if (property?.set) return `${key(name)}: [Setter]`;
    return `${key(name)}: ${show(property?.value, seen, depth + 1, indent + 2)}`;
  });
}

function show(value: unknown, seen: object[], depth: number, indent: number): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "symbol":
      return String(value);
    case "function": {
      const kind = Function.prototype.toString.call(value).startsWith("class ") ? "class" : "Function";
      return value.name ? `[${kind}${kind === "class" ? " " : ": "}${value.name}]` : `[${kind} (anonymous)]`;
    }
  }
  if (value === null || typeof value !== "object") return String(value);
  if (seen.includes(value)) return "[Circular *1]";
  const name = className(value);
  const inner = [...seen, value];
  if (value instanceof Error) return errorText(value, inner, depth, indent);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (depth > MAX_DEPTH) return Array.isArray(value) ? "[Array]" : `[${name ?? "Object: null prototype"}]`;

  const own = Object.keys(value);
  if (Array.isArray(value)) {
    const parts = value.slice(0, MAX_ITEMS).map((item) => show(item, inner, depth + 1, indent + 2));
    return layout(
      name === "Array" || !name ? "[" : `${name}(${value.length}) [`,
      more(parts, value.length),
      "]",
      indent,
      true,
    );
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const array = value as unknown as ArrayLike<number | bigint>;
    const parts = Array.from({ length: Math.min(array.length, MAX_ITEMS) }, (_, i) =>
      show(array[i], inner, depth + 1, indent + 2),
    );
    return layout(`${name}(${array.length}) [`, more(parts, array.length), "]", indent, true);
  }
  if (value instanceof Map) {
    const parts = [...value]
      .slice(0, MAX_ITEMS)
      .map(
        ([k, v]) => `${show(k, inner, depth + 1, indent + 2)} => ${show(v, inner, depth + 1, indent + 2)}`,
      );
    return layout(`${name}(${value.size}) {`, more(parts, value.size), "}", indent, true);
  }
  if (value instanceof Set) {
    const parts = [...value].slice(0, MAX_ITEMS).map((item) => show(item, inner, depth + 1, indent + 2));
    return layout(`${name}(${value.size}) {`, more(parts, value.size), "}", indent, true);
  }
  if (value instanceof Promise) return "Promise { <opaque> }";
  if (value instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${value.byteLength} }`;
  const symbols = Object.getOwnPropertySymbols(value).filter((symbol) =>
    Object.prototype.propertyIsEnumerable.call(value, symbol),
  );
  const prefix = name === "Object" ? "" : name === null ? "[Object: null prototype] " : `${name} `;
  return layout(
    `${prefix}{`,
    properties(value, [...own, ...symbols], inner, depth, indent),
    "}",
    indent,
    true,
  );
}

function errorText(error: Error, seen: object[], depth: number, indent: number): string {
  const head = `${error.name}${error.message ? `: ${error.message}` : ""}`;
  const text = depth > 0 ? `[${head}]` : error.stack ? `${head}\n${error.stack.trimEnd()}` : head;
  return error.cause === undefined || seen.length > MAX_DEPTH
    ? text
    : `${text} {\n  [cause]: ${show(error.cause, seen, depth + 1, indent + 2)}\n}`;
}

/** One value as text; strings are quoted. What cannot be read says so. */
export function inspect(value: unknown): string {
  try {
    return show(value, [], 0, 0);
  } catch {
    return typeof value === "function" ? "[Function]" : "[an object that cannot be read]";
  }
}

/** A line of `console.log`: the first text's `%s %d %i %f %j %o %O %c` take the values that follow, the rest is set beside it. */
export function formatLine(values: readonly unknown[]): string {
  let next = 0;
  let text = "";
  if (typeof values[0] === "string") {
    const format = values[0];
    next = 1;
    text =
      values.length === 1
        ? format
        : format.replace(/%[sdifjoOc%]/g, (mark) => {
            if (mark === "%%") return "%";
            if (next >= values.length) return mark;
            const value = values[next++];
            if (mark === "%c") return "";
            if (mark === "%s") return typeof value === "string" ? value : inspect(value);
            if (mark === "%j") return JSON.stringify(value) ?? "undefined";
            if (mark === "%o" || mark === "%O") return inspect(value);
            if (typeof value === "bigint") return `${value}n`;
            if (typeof value === "symbol" || typeof value === "object") return "NaN";
            return String(
              mark === "%d"
                ? Number(value)
                : mark === "%i"
                  ? Number.parseInt(String(value), 10)
                  : Number.parseFloat(String(value)),
            );
          });
  }
  for (; next < values.length; next++) {
    const value = values[next];
    text += `${next > 0 ? " " : ""}${typeof value === "string" ? value : inspect(value)}`;
  }
  return text;
}

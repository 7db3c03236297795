/** Bodies for routes: what their schemas say, and often something wrong in some place. All from a seed. */

/** Random numbers from 0 to 1 (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ODD = [
  ...[null, true, 0, -1, 1e308, 2 ** 53, 0.1, "", "\u0000", "\ud800", [], {}, [[[[]]]]],
  "ü".repeat(300),
  "x".repeat(100_000),
  "../../../etc/passwd",
  "__proto__",
  "1; DROP TABLE records",
  "fd://a/../../b",
  "9999-99-99T99:99:99Z",
  { constructor: 1, toString: 2 },
  JSON.parse('{"__proto__": {"is_admin": true}}'),
];

const TYPES = [
  "application/x-www-form-urlencoded",
  "multipart/form-data",
  "multipart/form-data; boundary=x",
  "text/plain",
  "application/octet-stream",
  "application/json; charset=utf-16",
  "application/problem+json",
  "nonsense",
  "",
];

export class Bodies {
  #random;
  #schemas;

  /** @param schemas the components of the OpenAPI document */
  constructor(random, schemas) {
    this.#random = random;
    this.#schemas = schemas;
  }

  pick(list) {
    return list[Math.floor(this.#random() * list.length)];
  }

  /** A value that a schema may mean. */
  value(schema, depth = 0) {
    if (!schema || depth > 8) return this.pick(ODD);
    if (schema.$ref) return this.value(this.#schemas[schema.$ref.split("/").at(-1)], depth + 1);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return this.pick(schema.enum);
    if (schema.allOf) return Object.assign({}, ...schema.allOf.map((one) => this.value(one, depth + 1)));
    const several = schema.anyOf ?? schema.oneOf;
    if (several) return this.value(this.pick(several), depth + 1);
    const type = Array.isArray(schema.type) ? this.pick(schema.type) : schema.type;
    if (type === "null") return null;
    if (type === "boolean") return this.#random() < 0.5;
    if (type === "integer" || type === "number")
      return this.pick([schema.minimum ?? 0, schema.maximum ?? 1, 1, 7]);
    if (type === "string") return this.pick([schema.example ?? "text", "a", "{}", "fd://a/b", "typescript"]);
    if (type === "array")
      return Array.from({ length: this.pick([0, 1, 3]) }, () => this.value(schema.items, depth + 1));
    const fields = Object.entries(schema.properties ?? {});
    if (fields.length === 0) return this.pick([{}, { a: 1 }, this.pick(ODD)]);
    const taken = fields.filter(([name]) => schema.required?.includes(name) || this.#random() < 0.6);
    return Object.fromEntries(taken.map(([name, field]) => [name, this.value(field, depth + 1)]));
  }

  /** The same with something odd in one place. */
  wrong(value) {
    if (this.#random() < 0.3 || typeof value !== "object" || value === null) return this.pick(ODD);
    const keys = Object.keys(value);
    if (keys.length === 0) return this.pick(ODD);
    const key = this.pick(keys);
    const changed = Array.isArray(value) ? [...value] : { ...value };
    if (this.#random() < 0.1) delete changed[key];
    else changed[key] = this.wrong(value[key]);
    return changed;
  }

  /** A body and its media type. */
  body(schema) {
    const right = this.value(schema);
    const text = JSON.stringify(this.#random() < 0.5 ? right : this.wrong(right)) ?? "";
    const noise = () => Buffer.from(Array.from({ length: 800 }, () => Math.floor(this.#random() * 256)));
    const type = "application/json";
    const kind = this.#random();
    if (kind < 0.65) return { type, bytes: Buffer.from(text) };
    if (kind < 0.72) return { type, bytes: Buffer.from(text.slice(0, this.#random() * text.length)) };
    if (kind < 0.76) return { type, bytes: Buffer.from(text, "utf16le") };
    if (kind < 0.8) return { type, bytes: noise() };
    if (kind < 0.85) return { type, bytes: Buffer.from(this.pick(["[", '{"a":']).repeat(50_000)) };
    if (kind < 0.88) return { type, bytes: Buffer.alloc(0) };
    const others = [Buffer.from(text), noise(), Buffer.from("--x\r\n\r\n")];
    return { type: this.pick(TYPES), bytes: this.pick(others) };
  }
}

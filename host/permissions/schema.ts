/** The permission descriptor as a JSON schema (draft 2020-12), for editors and for other languages. */
import { PERMISSION_NAMES, takesList } from "./descriptor.ts";

const LISTS: Record<string, string> = {
  net: "Hosts: example.org, example.org:443, *.example.org, 10.0.0.0/8, [::1]:8080.",
  read: "Prefixes of storage paths: s3://bucket/prefix, /data, reports/2026.",
  write: "Prefixes of storage paths.",
  secrets: "Names of secrets, each with the hosts it may be sent to.",
  cache: "Whether results may be stored in the cache.",
  run: "Names of UDFs that may be run.",
  remote: "Instance types that runs may be sent to.",
  import: "Packages that may be fetched: NAME for Python, npm:NAME for TypeScript.",
  native: "Whether the UDF may run outside the sandbox, in the machine's own Python.",
};

const list = (items: object) => ({
  oneOf: [{ type: "boolean" }, { type: "array", items, uniqueItems: true }],
});

function properties(item: (name: string) => object): Record<string, object> {
  return Object.fromEntries(
    PERMISSION_NAMES.map((name) => [
      name,
      { description: LISTS[name], ...(takesList(name) ? list(item(name)) : { type: "boolean" }) },
    ]),
  );
}

const text = { type: "string", minLength: 1 };
const secret = {
  oneOf: [
    text,
    {
      type: "object",
      additionalProperties: false,
      required: ["name"],
      properties: {
        name: text,
        hosts: { description: "Default: every host that net grants.", ...list(text) },
        reveal: { type: "boolean", default: false, description: "Whether the UDF sees the value itself." },
      },
    },
  ],
};

/** The schema. `checkPermissions` accepts less: it also reads each rule. */
export const PERMISSIONS_SCHEMA = Object.freeze({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Permissions of a fuselet UDF",
  type: "object",
  additionalProperties: false,
  properties: {
    ...properties((name) => (name === "secrets" ? secret : text)),
    deny: {
      description: "What is refused even where it is granted.",
      type: "object",
      additionalProperties: false,
      properties: properties(() => text),
    },
  },
});

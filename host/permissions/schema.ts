/** The permission descriptor and the configuration file as JSON schemas (draft 2020-12), for editors and for other languages. */
import { SET_NAME } from "./config.ts";
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

const DRAFT = "https://json-schema.org/draft/2020-12/schema";

const descriptor = {
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
};

/** The schema of a descriptor. `checkPermissions` accepts less: it also reads each rule. */
export const PERMISSIONS_SCHEMA = Object.freeze({
  $schema: DRAFT,
  title: "Permissions of a fuselet UDF",
  ...descriptor,
});

/** The schema of `fuselet.json` and `fuselet.toml`. */
export const CONFIG_SCHEMA = Object.freeze({
  $schema: DRAFT,
  title: "Configuration of fuselet",
  type: "object",
  additionalProperties: false,
  properties: {
    $schema: { type: "string" },
    permissions: {
      description:
        "Sets of permissions by name; --permission-set=NAME grants one, default is the name of that without a name.",
      type: "object",
      propertyNames: { pattern: SET_NAME.source },
      additionalProperties: descriptor,
    },
    auditLog: {
      description: "A file to which each decision on a permission is appended as a line of JSON.",
      ...text,
    },
  },
});

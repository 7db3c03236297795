/** What a run is told about itself: who asked for it, how, and as what. It travels with the run, never in globals. */
import { UsageError } from "../../runtime/errors.ts";
import type { Binding } from "../host.ts";

/** Whoever is signed in, as a server knows them. */
export interface ContextUser {
  id: string;
  email: string;
  handle: string;
  name: string;
  /** The team. */
  executionEnvironmentId: string;
  isAdmin: boolean;
}

/** All have defaults: nobody asked, nothing is known, a local run. */
export interface RunContext {
  /** Of the request that the run answers; names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** How deep the run is nested in others: 0 is none. */
  recursionFactor: number;
  /** The realtime client that asked, or null. */
  clientId: string | null;
  /** The signed-in user, or null. */
  userEmail: string | null;
  /** All that the server knows of the signed-in user, or null. */
  user: Readonly<ContextUser> | null;
  /** `realtime` answers a request, `batch` is a job, `local` is neither. */
  kind: "local" | "realtime" | "batch";
  /** The shared token that the run was asked for with, or null. */
  shareToken: string | null;
  /** The session of a visitor of a shared link, or null. */
  sessionToken: string | null;
  /** The team of the signed-in user, or null. */
  executionEnvironmentId: string | null;
}

type TextField = "clientId" | "userEmail" | "shareToken" | "sessionToken" | "executionEnvironmentId";

const KINDS = ["local", "realtime", "batch"] as const;

const DEFAULTS: RunContext = Object.freeze({
  headers: Object.freeze({}),
  recursionFactor: 0,
  clientId: null,
  userEmail: null,
  user: null,
  kind: "local",
  shareToken: null,
  sessionToken: null,
  executionEnvironmentId: null,
});

/**
 * Checks a context that the host's owner passes to a run.
 * @returns a frozen copy with the defaults filled in, header names in lower case
 * @throws UsageError that names the field and what it received
 */
export function checkContext(value: unknown): RunContext {
  if (value === undefined) return DEFAULTS;
  const refuse = (field: string, rule: string, received: unknown): never => {
    throw new UsageError(
      `Cannot run: context${field} must be ${rule}: received ${JSON.stringify(received) ?? typeof received}`,
    );
  };
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse("", "an object", value);
  const given = value as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw new UsageError(
        `Cannot run: context.${name} is unknown; fields are ${Object.keys(DEFAULTS).join(", ")}`,
      );
    }
  }
  const text = (field: TextField): string | null => {
    const found = given[field] ?? null;
    return found === null || typeof found === "string" ? found : refuse(`.${field}`, "a text or null", found);
  };
  const { recursionFactor = 0, kind = "local" } = given;
  if (!Number.isInteger(recursionFactor) || (recursionFactor as number) < 0)
    refuse(".recursionFactor", "a whole number from 0", recursionFactor);
  if (!(KINDS as readonly unknown[]).includes(kind)) refuse(".kind", KINDS.join(", "), kind);
  const headers: Record<string, string> = Object.create(null);
  if (typeof (given.headers ?? {}) !== "object") refuse(".headers", "an object of texts", given.headers);
  for (const [name, header] of Object.entries(given.headers ?? {})) {
    headers[name.toLowerCase()] =
      typeof header === "string" ? header : refuse(`.headers[${JSON.stringify(name)}]`, "a text", header);
  }
  return Object.freeze({
    headers: Object.freeze(headers),
    recursionFactor: recursionFactor as number,
    clientId: text("clientId"),
    userEmail: text("userEmail"),
    user: (given.user ?? null) === null ? null : checkUser(given.user, refuse),
    kind: kind as RunContext["kind"],
    shareToken: text("shareToken"),
    sessionToken: text("sessionToken"),
    executionEnvironmentId: text("executionEnvironmentId"),
  });
}

const USER = {
  id: "string",
  email: "string",
  handle: "string",
  name: "string",
  executionEnvironmentId: "string",
  isAdmin: "boolean",
} as const satisfies Record<keyof ContextUser, string>;

/** @returns a copy with what a user has, and nothing else */
function checkUser(
  value: unknown,
  refuse: (field: string, rule: string, received: unknown) => never,
): Readonly<ContextUser> {
  if (typeof value !== "object" || value === null) return refuse(".user", "an object or null", value);
  const given = value as Record<string, unknown>;
  for (const [name, type] of Object.entries(USER))
    if (typeof given[name] !== type) refuse(`.user.${name}`, `a ${type}`, given[name]);
  return Object.freeze(Object.fromEntries(Object.keys(USER).map((name) => [name, given[name]]))) as never;
}

/** Names of single headers that are noted; a run that reads more is taken to have read all. */
const MOST_HEADERS = 50;

/**
 * The same context, which notes what is read of it.
 * @param read gets `userEmail`, `headers.accept` for one header, `headers` for all of them
 */
export function watchContext(context: RunContext, read: Set<string>): RunContext {
  const noteHeader = (name: string | symbol) => {
    if (read.has("headers") || typeof name === "symbol") return;
    read.add(read.size < MOST_HEADERS ? `headers.${name}` : "headers");
  };
  const headers = new Proxy(Object.assign(Object.create(null) as Record<string, string>, context.headers), {
    get(target, name) {
      noteHeader(name);
      return Reflect.get(target, name);
    },
    has(target, name) {
      noteHeader(name);
      return Reflect.has(target, name);
    },
    getOwnPropertyDescriptor(target, name) {
      noteHeader(name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
    ownKeys(target) {
      read.add("headers");
      return Reflect.ownKeys(target);
    },
    defineProperty: () => false,
    deleteProperty: () => false,
  });
  const watched = { headers };
  for (const field of Object.keys(context) as (keyof RunContext)[]) {
    if (field === "headers") continue;
    const get = () => {
      read.add(field);
      return context[field];
    };
    Object.defineProperty(watched, field, { get, enumerable: true });
  }
  return watched as RunContext;
}

/** What a field has, by the names that `watchContext` notes; undefined where there is nothing of that name. */
export function contextValue(context: RunContext, field: string): unknown {
  if (field.startsWith("headers.")) return context.headers[field.slice("headers.".length)];
  if (field !== "headers") return context[field as keyof RunContext];
  return Object.entries(context.headers).sort(([a], [b]) => (a < b ? -1 : 1));
}

const MOST_NAME = 1000;

/**
 * The binding `context`. It needs no permission: a run may know what it is.
 *
 *     get()           all of it, and the UDF
 *     field(name)     one field of it, `headers` among them
 *     header(name)    one header, or null; the name in any case
 *
 * A kept result counts for a run that has the same in all that was asked for. @throws UsageError for a name that is none
 */
export const contextBinding: Binding = {
  get: (_args, { context, udf }) => ({ ...context, udf: { ...udf } }),
  field([name], { context }) {
    if (typeof name !== "string" || !Object.hasOwn(DEFAULTS, name))
      throw new UsageError(`The context has no such field: there are ${Object.keys(DEFAULTS).join(", ")}`);
    return context[name as keyof RunContext];
  },
  header([name], { context }) {
    if (typeof name !== "string" || name.length > MOST_NAME)
      throw new UsageError(`The name of a header must be a text of at most ${MOST_NAME} characters`);
    return context.headers[name.toLowerCase()] ?? null;
  },
};

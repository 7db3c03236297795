/** The one door between a UDF and the world: finds the binding that a guest calls, hands over data, and answers with data. */
import { tableBuilder } from "../runtime/columns.ts";
import {
  BindingError,
  FuseletError,
  LimitExceededError,
  ParameterError,
  PermissionDeniedError,
  UsageError,
} from "../runtime/errors.ts";
import type { RunResult } from "../runtime/result.ts";
import type { Caller, Host } from "../runtime/runtime.ts";
import type { Tile, UdfSource } from "../runtime/udf.ts";
import { decodeValue, encodeValue } from "../runtime/value.ts";
import { type RunContext, watchContext } from "./context/context.ts";
import type { Caller as Asking, Broker, Grant } from "./permissions/broker.ts";
import type { ListPermission, PermissionName, Permissions } from "./permissions/descriptor.ts";
import { keepParent, redactionOf } from "./secrets/runs.ts";

/** On whose behalf a binding is called. All calls of one run share one object. */
export interface Call {
  readonly principal: string;
  /** Whose `fd://` files and secrets the run uses. */
  readonly owner: string;
  readonly udf: { readonly name: string; readonly hash: string };
  /** What runs. */
  readonly source: UdfSource;
  /** Identifies the engine that it runs in: its build and its packages. */
  readonly engine: string;
  /** What the run may do at most. */
  readonly permissions: Permissions;
  /** What the run is told about itself. Its result depends on the fields that are read here. */
  readonly context: RunContext;
  /** Aborts when the run ends, however it ends. */
  readonly signal: AbortSignal;
  /** Resolves when the UDF has taken most of what it was answered: before, nothing large should be made for it. */
  taken(): Promise<void>;
  /** While runs are under way that nobody waits for by `run` alone: their isolates are kept for the next ones. @returns the function that ends it */
  hold(): () => void;
  /**
   * Runs another UDF with what this run has, and never more; it ends with this run.
   * @param options `cacheMaxAgeMs`: a kept result counts up to this age, and what comes of it is kept; 0, the default, runs it
   * @throws as the `run` of a runtime
   */
  run(
    source: UdfSource,
    options: {
      parameters: Readonly<Record<string, unknown>>;
      tile?: Tile;
      context: RunContext;
      cacheMaxAgeMs?: number;
    },
  ): Promise<RunResult>;
  /**
   * Asks whether something may be done; every binding does so before it acts.
   * @param value a host with port, a path, a name; empty for permissions without values
   * @throws PermissionDeniedError with the permission, the value and the flag that would grant it
   */
  require(permission: PermissionName, value: string): Promise<Grant>;
  /** The same for what needs no grant, unless a rule denies it. @throws PermissionDeniedError */
  requireUndenied(permission: ListPermission, value: string): void;
  /** A denial that is told to the UDF as an answer: where the run ends with it, it is this one. */
  noteDenial(error: Error): void;
  /** The run's result depends on what may change without anybody's notice: it is not kept for later runs. */
  keepNothing(): void;
}

/** Functions that UDFs may call. Arguments and answers are data (runtime/value.ts): check them on arrival. */
export type Binding = Readonly<Record<string, (args: readonly unknown[], call: Call) => unknown>>;

export interface HostOptions {
  broker: Broker;
  /** By name. What is not here, or in `own`, does not exist for a UDF. */
  bindings: Readonly<Record<string, Binding>>;
  /** The program's own, which come before those. What they answer is in no key of a result: a run that calls one is not kept. */
  own?: Readonly<Record<string, Binding>> | undefined;
  /** Puts a denial into other words for the UDF, and for whoever runs it. */
  explainDenial?: ((error: PermissionDeniedError) => PermissionDeniedError) | undefined;
}

/** Makes the host of a runtime. */
export function openHost({
  broker,
  bindings,
  own = {},
  explainDenial = (error) => error,
}: HostOptions): Host {
  const calls = new WeakMap<Caller, Call>();
  const callOf = (caller: Caller): Call => {
    let call = calls.get(caller);
    if (!call) calls.set(caller, (call = openCall(broker, caller)));
    return call;
  };
  return async (name, argument, caller) => {
    const [binding = "", method = ""] = name.split(".");
    try {
      const isOwn = Object.hasOwn(own, binding);
      const from = isOwn ? own : bindings;
      const methods = Object.hasOwn(from, binding) ? from[binding] : undefined;
      const call = methods && Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (!call) throw new UsageError(`The host has no binding ${name}`);
      const args = decodeValue(argument, await tableBuilder(argument.text));
      if (!Array.isArray(args)) throw new UsageError(`The arguments of ${name} must be a list`);
      if (isOwn) callOf(caller).keepNothing();
      const { text, buffers } = encodeValue((await call(args, callOf(caller))) ?? null, name);
      return { text: `{"ok":true,"value":${text}}`, buffers };
    } catch (cause) {
      const error = cause instanceof PermissionDeniedError ? explainDenial(cause) : cause;
      if (error instanceof PermissionDeniedError) caller.noteDenial(error);
      return { text: JSON.stringify({ ok: false, error: failureOf(error, name) }), buffers: [] };
    }
  };
}

function openCall(broker: Broker, caller: Caller): Call {
  const { principal, owner, udf, source, signal, parent, uses } = caller;
  if (parent) keepParent(signal, parent);
  const context = caller.context as RunContext;
  const keepNothing = () => {
    if (uses) uses.isShareable = false;
  };
  const asking: Asking = {
    principal,
    udf,
    runId: crypto.randomUUID(),
    permissions: caller.permissions as Permissions,
    isNested: caller.isNested,
    signal,
    pause: () => caller.pauseTimeLimit(),
    noteAnswer: keepNothing,
    redact: (text) => redactionOf(signal)?.text(text) ?? text,
  };
  return {
    principal,
    owner,
    udf,
    source,
    engine: caller.engine,
    permissions: asking.permissions,
    context: uses ? watchContext(context, uses.fields) : context,
    signal,
    taken: () => caller.taken(),
    hold: () => caller.hold(),
    run(source, options) {
      // The other UDF may be another one by the next run.
      keepNothing();
      return caller.run(source, options);
    },
    async require(permission, value) {
      const grant = await broker.require(permission, value, asking);
      if (grant.reveal) keepNothing();
      return grant;
    },
    requireUndenied: (permission, value) => broker.requireUndenied(permission, value, asking),
    noteDenial(error) {
      if (error instanceof PermissionDeniedError) caller.noteDenial(error);
    },
    keepNothing,
  };
}

/** What the guest learns of a failure. */
export function failureOf(error: unknown, name: string): object {
  // Only errors of our own tree speak to a UDF: another's text may hold what it must not see. So may the database's.
  if (!(error instanceof FuseletError) || error.name === "StoreError")
    return { type: "Error", message: `${name} failed in the host` };
  const { name: type, message } = error;
  if (error instanceof PermissionDeniedError) {
    return { type, message, kind: "permission", subject: error.permission, value: error.value };
  }
  if (error instanceof ParameterError) return { type, message, raised: error.raised };
  if (error instanceof BindingError) return { type, message, subject: error.code };
  return error instanceof LimitExceededError ? { type, message, subject: error.limit } : { type, message };
}

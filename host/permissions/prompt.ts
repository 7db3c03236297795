/**
 * Asks a person about requests that no rule covers: when to ask, and what an answer is good for. How a question looks is the
 * prompter's. One question is open at a time; requests for the same value share it; a yes covers what was shown and no more.
 */
import type { Answer, Caller, Ungranted } from "./broker.ts";
import {
  PERMISSION_NAMES,
  type PermissionName,
  type Permissions,
  secretGrants,
  takesList,
} from "./descriptor.ts";
import { covers, type Granted, type GrantStore, includes, type SavedGrant } from "./grants.ts";
import type { PermissionRequest } from "./request.ts";

/** `once` is this request, `run` is until the run ends, `always` is also for later runs of the same code. */
export type Choice = "once" | "run" | "always" | "deny";

export interface Question {
  /** Who asks. */
  udf: Caller["udf"];
  /** For one thing that a run is about to do, or for all that a UDF declares, before it starts (then `once` is no answer). */
  kind: "request" | "declaration";
  /** What for, and why in the UDF's own words. */
  items: readonly { granted: Granted; reason: string | null }[];
}

/** Shows a question and waits for the answer; `deny` when the signal aborts or nobody can answer. */
export type Prompter = (question: Question, signal: AbortSignal | undefined) => Promise<Choice>;

export interface PromptOptions {
  /** Default: nobody is there, and only saved grants count. */
  prompter?: Prompter | undefined;
  grants: GrantStore;
  /** Called with what went wrong: grants that cannot be read or saved. */
  onNotice: (message: string) => void;
}

/** A UDF with what it declares. */
export interface Declaration {
  principal: string;
  udf: Caller["udf"];
  request: PermissionRequest;
  /** What its runs are granted by rules: what these cover or deny is not asked for. */
  permissions: Permissions;
}

export interface Prompt {
  /** For the broker's option of this name. */
  onUngranted(request: Ungranted): Promise<Answer>;
  /**
   * Asks for all that a UDF declares and nothing covers, in one question. A no is none: each request is then asked for when it
   * comes. A yes is good for all runs of this UDF and principal that this object serves. Also lends the UDF's reasons to later questions.
   */
  askDeclared(declaration: Declaration, signal?: AbortSignal): Promise<void>;
}

/** Nobody judges more lines than this at once. */
const MOST_ITEMS = 20;

/** What is never granted by one yes for many: each of these reaches beyond the sandbox, or costs money. */
const ASKED_ALONE: readonly PermissionName[] = ["native", "remote"];

const NOBODY: Answer = { allowed: false, how: "rule" };
const REFUSED: Answer = { allowed: false, how: "prompt deny" };

export function createPrompt({ prompter, grants, onNotice }: PromptOptions): Prompt {
  /** By run. */
  const answers = new Map<string, { granted: Granted; answer: Answer }[]>();
  /** By principal and code. */
  const forRun = new Map<string, Granted[]>();
  const requests = new Map<string, PermissionRequest>();
  const waiting = new Map<string, Promise<Answer>>();
  let saved: Promise<SavedGrant[]> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const savedFor = async (principal: string, hash: string): Promise<SavedGrant[]> => {
    saved ??= grants.list().then(
      (list) => [...list],
      (error: Error) => {
        onNotice(error.message);
        return [];
      },
    );
    return (await saved).filter((grant) => grant.principal === principal && grant.udf.hash === hash);
  };

  /** @returns whether it was saved */
  const save = async (principal: string, udf: Caller["udf"], list: readonly Granted[]): Promise<boolean> => {
    const date = new Date().toISOString();
    const added = list.map((granted) => ({ principal, udf, ...granted, date }));
    try {
      await grants.add(added);
    } catch (error) {
      onNotice(`${(error as Error).message}. It is allowed for this run`);
      return false;
    }
    (await saved)?.push(...added);
    return true;
  };

  const find = async ({ permission, value, caller }: Ungranted): Promise<Answer | undefined> => {
    const { principal, udf, runId } = caller;
    const fits = (granted: Granted) => covers(granted, permission, value);
    const known = answers.get(runId)?.find(({ granted }) => fits(granted));
    if (known) return known.answer;
    const now = forRun.get(subjectOf(principal, udf.hash))?.find(fits);
    if (now) return { allowed: true, how: "prompt run", ...hostsIn(now) };
    const before = (await savedFor(principal, udf.hash)).find(fits);
    return before && { allowed: true, how: "saved grant", ...hostsIn(before) };
  };

  const remember = ({ caller: { runId, signal } }: Ungranted, granted: Granted, answer: Answer): Answer => {
    let list = answers.get(runId);
    if (!list) {
      answers.set(runId, (list = []));
      signal?.addEventListener("abort", () => answers.delete(runId), { once: true });
    }
    list.push({ granted, answer });
    return answer;
  };

  const ask = async (request: Ungranted, prompt: Prompter): Promise<Answer> => {
    // An answer to an earlier question may have settled this one, or its run may be over.
    const known = await find(request);
    if (known) return known;
    const { permission, value, caller } = request;
    if (caller.signal?.aborted) return REFUSED;
    const { principal, udf, signal } = caller;
    const declared = requests.get(udf.hash);
    const granted: Granted = {
      permission,
      value,
      ...(permission === "secrets" && declared ? declaredHosts(declared.permissions, value) : {}),
    };
    const items = [{ granted, reason: declared?.reasonFor(permission) ?? null }];
    const choice = await prompt({ udf, kind: "request", items }, signal);
    const hosts = hostsIn(granted);
    if (choice === "once") return { allowed: true, how: "prompt once", ...hosts };
    if (choice === "deny") return remember(request, granted, REFUSED);
    if (choice === "always" && (await save(principal, udf, [granted]))) {
      return { allowed: true, how: "prompt always", ...hosts };
    }
    return remember(request, granted, { allowed: true, how: "prompt run", ...hosts });
  };

  /** Waits for its turn: one question at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };

  return {
    async onUngranted(request) {
      const known = await find(request);
      if (known) return known;
      if (!prompter) return NOBODY;
      const { permission, value, caller } = request;
      const key = JSON.stringify([
        subjectOf(caller.principal, caller.udf.hash),
        caller.runId,
        permission,
        value,
      ]);
      let asked = waiting.get(key);
      if (!asked) {
        asked = inTurn(() => ask(request, prompter)).finally(() => waiting.delete(key));
        waiting.set(key, asked);
      }
      return asked;
    },

    async askDeclared({ principal, udf, request, permissions }, signal) {
      requests.set(udf.hash, request);
      if (!prompter) return;
      const kept = await savedFor(principal, udf.hash);
      const open = declaredItems(request.permissions).filter(
        (item) => !isSettled(permissions, item) && !kept.some((grant) => includes(grant, item)),
      );
      if (open.length === 0) return;
      if (open.length > MOST_ITEMS) {
        onNotice(`${udf.name} declares ${open.length} permissions: each is asked for when it is used`);
        return;
      }
      const items = open.map((granted) => ({ granted, reason: request.reasonFor(granted.permission) }));
      const choice = await inTurn(() => prompter({ udf, kind: "declaration", items }, signal));
      if (choice === "always" && (await save(principal, udf, open))) return;
      if (choice === "run" || choice === "always") forRun.set(subjectOf(principal, udf.hash), open);
    },
  };
}

const subjectOf = (principal: string, hash: string) => JSON.stringify([principal, hash]);

const hostsIn = ({ hosts }: Granted) => (hosts ? { hosts } : {});

/** The hosts that a UDF names for a secret. */
function declaredHosts({ secrets }: Permissions, name: string): Pick<Granted, "hosts"> {
  const hosts = secretGrants(secrets)
    .filter((entry) => entry.name === name)
    .map((entry) => entry.hosts);
  return hosts.length === 0 || hosts.includes(true) ? {} : { hosts: (hosts as string[][]).flat() };
}

/** What a UDF declares, one by one. What it wants all of (`net: true`) is left out: each value is asked for when it is used. */
function declaredItems(permissions: Permissions): Granted[] {
  return PERMISSION_NAMES.filter((name) => !ASKED_ALONE.includes(name)).flatMap((permission): Granted[] => {
    const field = permissions[permission];
    if (permission === "secrets") {
      const names = new Set(secretGrants(permissions.secrets).map(({ name }) => name));
      names.delete("*");
      return Array.from(names, (value) => ({ permission, value, ...declaredHosts(permissions, value) }));
    }
    if (field === true) return takesList(permission) ? [] : [{ permission, value: "" }];
    return Array.isArray(field) ? field.map((rule: string) => ({ permission, rule })) : [];
  });
}

/** Whether rules allow or deny all of an item. */
function isSettled(permissions: Permissions, item: Granted): boolean {
  const { permission } = item;
  return [permissions[permission], permissions.deny?.[permission]].some(
    (list) =>
      list === true ||
      (Array.isArray(list) &&
        list.some((entry: string | { name: string }) =>
          includes({ permission, rule: typeof entry === "string" ? entry : entry.name }, item),
        )),
  );
}

/** The binding `secrets`: what UDFs call to use a secret. They cannot set any. */
import { sha256 } from "../cache/blobs.ts";
import type { Binding, Call } from "../host.ts";
import { type Permissions, RULES, secretGrants } from "../permissions/descriptor.ts";
import { StoreError } from "../store/errors.ts";
import { SecretError } from "./errors.ts";
import type { KeySource } from "./keys.ts";
import { placeholderOf, RunSecrets } from "./run-secrets.ts";
import { keepSecrets, outermostOf, secretsOf } from "./runs.ts";
import { checkData, checkSigning, sign } from "./signing.ts";
import { checkName, type Vault } from "./vault.ts";

export interface SecretsOptions {
  vault: Pick<Vault, "read" | "list">;
  keys: KeySource;
}

/**
 * Makes the binding.
 *
 *     get(name)                                     the value where the grant says `reveal`; else a placeholder (run-secrets.ts)
 *     sign(name, data, { algorithm, scope, key })   a signature with its value, which the UDF does not see (signing.ts); bytes
 *     list()                                        names of the secrets that the run may use
 *
 * @throws PermissionDeniedError, SecretError
 */
export function secretsBinding({ vault, keys }: SecretsOptions): Binding {
  const grantedSecret = async (given: unknown, call: Call) => {
    const name = checkName(given);
    // The secret is in no key of a result: it may be another one, or none, a moment later.
    call.keepNothing();
    const { hosts, reveal } = await call.require("secrets", name);
    const value = await orSecretError(() => vault.read(call.owner, name));
    if (value !== undefined) return { name, value, hosts, reveal };
    throw new SecretError("missing", `There is no secret ${name}: fuselet secrets set ${name} makes it`);
  };
  return {
    async get([given], call) {
      const { name, value, hosts, reveal } = await grantedSecret(given, call);
      if (reveal) {
        ofRun(outermostOf(call.signal)).reveal(name, value);
        return value;
      }
      const { placeholders } = await keys.open();
      const placeholder = await makePlaceholder(placeholders, name, call);
      ofRun(call.signal).hide(placeholder, { name, value, hosts });
      return placeholder;
    },

    async sign([given, data, how], call) {
      const [bytes, signing] = [checkData(data), checkSigning(how)];
      return sign(await grantedSecret(given, call), bytes, signing);
    },

    async list(_args, call) {
      const { owner, permissions } = call;
      call.keepNothing();
      const entries = await orSecretError(() => vault.list(owner));
      return entries.map(({ name }) => name).filter((name) => mayUse(permissions, name));
    },
  };
}

function ofRun(signal: AbortSignal): RunSecrets {
  let secrets = secretsOf(signal);
  if (!secrets) keepSecrets(signal, (secrets = new RunSecrets()));
  return secrets;
}

/** What stands for a secret: the same for the same principal, UDF and name, and nobody else can guess it. */
async function makePlaceholder(key: CryptoKey, name: string, { principal, udf }: Call): Promise<string> {
  const text = JSON.stringify(["fuselet placeholder", principal, udf.hash, name]);
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
  return placeholderOf(await sha256(new Uint8Array(signature)));
}

/** What the rules say; what somebody would be asked about is not among it. */
function mayUse({ secrets, deny }: Permissions, name: string): boolean {
  const denied = deny?.secrets ?? false;
  const isDenied = denied === true || (denied || []).some((rule) => RULES.secrets.denies(rule, name));
  return !isDenied && secretGrants(secrets).some((grant) => RULES.secrets.allows(grant.name, name));
}

/** A store's own error names files of the machine: a UDF learns only what it means. */
async function orSecretError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    const why = {
      busy: "other processes write to it all the time",
      damaged: "it is damaged",
      version: "a newer fuselet has written it",
    }[cause.code as string];
    throw new SecretError("storage", `Cannot read secrets: ${why ?? "their storage cannot be read"}`, {
      cause,
    });
  }
}

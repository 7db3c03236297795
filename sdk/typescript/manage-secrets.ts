/** Secrets, as the host's own program sets them; UDFs only use them. */
import type { OpenVault, SecretEntry } from "../../host/secrets/vault.ts";

/** Whose secrets. Default: the principal of runs that name none. */
interface Whose {
  principal?: string;
}

/** The secrets of this machine's user, or of a page's origin. All fail with SecretError, or StoreError. */
export interface Secrets {
  /** Sets one, whatever was there: text of 1 to 65,536 bytes. */
  set(name: string, value: string, whose?: Whose): Promise<void>;
  /** Names, and when each was set. Values are for UDFs only. */
  list(whose?: Whose): Promise<SecretEntry[]>;
  /** @returns whether there was one */
  delete(name: string, whose?: Whose): Promise<boolean>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function manageSecrets({ vault, close }: OpenVault): Secrets {
  return {
    set: (name, value, { principal = "local" } = {}) => vault.write(principal, name, value),
    list: ({ principal = "local" } = {}) => vault.list(principal),
    delete: (name, { principal = "local" } = {}) => vault.delete(principal, name),
    close,
    [Symbol.asyncDispose]: close,
  };
}

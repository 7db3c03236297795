/** The secrets of this machine's user. */
import { join } from "node:path";
import { openStore } from "../store/store.node.ts";
import { type KeyOptions, openKeys } from "./keys.node.ts";
import { makeVault, type OpenVault } from "./vault.ts";

/** @param folder has the database and the key. @param keyText as in keys.node.ts */
export function openVault(folder: string, keyText: KeyOptions["text"]): OpenVault {
  const store = openStore({ path: join(folder, "secrets.db") });
  const keys = openKeys({ folder, text: keyText });
  return { vault: makeVault({ store, keys }), keys, close: () => store.close() };
}

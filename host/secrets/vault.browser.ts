/** The secrets of a page's origin: whoever runs scripts there can use them, and cannot read the key. */
import { openStore } from "../store/store.browser.ts";
import { openKeys } from "./keys.browser.ts";
import { makeVault, type OpenVault } from "./vault.ts";

/** @param name the databases begin so */
export function openVault(name = "fuselet-secrets"): OpenVault {
  const store = openStore({ name });
  const keys = openKeys(`${name}-keys`);
  return { vault: makeVault({ store, keys }), keys, close: () => store.close() };
}

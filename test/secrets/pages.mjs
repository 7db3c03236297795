/** Secrets in pages of a real Chromium. */
import assert from "node:assert/strict";
import { openBrowser } from "../browser/chromium.mjs";

const TYPESCRIPT = `import { secrets } from "fuselet/udf";
export default async function page({ url }: { url: string }) {
  const key = await secrets.get("PAGE_KEY");
  const answer = await fetch(url + "?k=" + key, { headers: { "x-api-key": key } });
  return [key, await secrets.list(), answer.url, [...answer.headers], await answer.text()];
}
`;
const PYTHON = `import fused
import urllib.request

@fused.udf
def udf(url: str):
    key = fused.secrets.PAGE_KEY
    with urllib.request.urlopen(urllib.request.Request(url, headers={"x-api-key": key})) as answer:
        return [key, list(fused.secrets), answer.read().decode()]
`;

/** @returns cases by title, and what ends the browser; it starts with the first case */
export async function pageCases({ canary, granted, other }) {
  let opening;
  const openPage = async () => (await (opening ??= openBrowser())).openPage();
  const value = canary.value;

  /** Runs a UDF in a page that may send PAGE_KEY to the granted server. */
  const run = (page, source, url) =>
    page.evaluate(
      async ({ source, url, net, hosts }) => {
        const runtime = await fuselet.createRuntime({
          permissions: { net, secrets: [{ name: "PAGE_KEY", hosts }] },
          pool: { spares: 0 },
        });
        try {
          return JSON.stringify((await runtime.run(source, { parameters: { url } })).value);
        } catch (error) {
          return JSON.stringify({ error: error.name, message: error.message, grant: error.grant });
        } finally {
          await runtime.close();
        }
      },
      { source, url, net: [granted.host, other.host], hosts: [granted.host] },
    );

  const cases = {
    "page: two tabs set secrets at once, and read each other's": async () => {
      const tabs = [await openPage(), await openPage()];
      await Promise.all(
        tabs.map((tab, i) =>
          tab.evaluate(
            async ([name, value]) => {
              const secrets = await fuselet.openSecrets();
              await secrets.set(name, value);
              await secrets.close();
            },
            [i === 0 ? "PAGE_KEY" : "OTHER_KEY", value],
          ),
        ),
      );
      const names = await tabs[0].evaluate(async () => {
        const secrets = await fuselet.openSecrets();
        const before = (await secrets.list()).map(({ name }) => name);
        await secrets.delete("OTHER_KEY");
        const after = (await secrets.list()).map(({ name }) => name);
        await secrets.close();
        return [before, after];
      });
      assert.deepEqual(names, [["OTHER_KEY", "PAGE_KEY"], ["PAGE_KEY"]]);
      await Promise.all(tabs.map((tab) => tab.close()));
    },
    "page: a TypeScript UDF has a placeholder, the granted server the value": async () => {
      const page = await openPage();
      const before = granted.got.length;
      const shown = await run(page, TYPESCRIPT, `${granted.url}/echo`);
      assert.deepEqual(canary.in(shown), [], shown);
      assert.match(shown, /fuseletsecret[0-9a-f]{40}/);
      assert.ok(canary.in(granted.got.slice(before).join()).includes("URL"), shown);
      await page.close();
    },
    "page: another server, and a redirect, do not get it": async () => {
      const page = await openPage();
      const before = other.got.length;
      const denied = JSON.parse(await run(page, TYPESCRIPT, `${other.url}/`));
      assert.equal(denied.grant, `--allow-secrets=PAGE_KEY@${other.host}`);
      const redirected = await run(page, TYPESCRIPT, `${granted.url}/redirect`);
      assert.match(redirected, /"error"/);
      assert.deepEqual(canary.in(redirected), []);
      assert.equal(other.got.length, before);
      await page.close();
    },
    "page: a Python UDF, too": async () => {
      const page = await openPage();
      const before = granted.got.length;
      const shown = await run(page, PYTHON, `${granted.url}/echo`);
      assert.deepEqual(canary.in(shown), [], shown);
      assert.match(shown, /\["fuseletsecret[0-9a-f]{40}",\["PAGE_KEY"\]/);
      assert.ok(canary.in(granted.got.slice(before).join()).length > 0, shown);
      await page.close();
    },
    "page: the origin's storage has the value nowhere, and the key cannot be taken out": async () => {
      const page = await openPage();
      const { stored, keys } = await page.evaluate(async () => {
        const settle = (request) =>
          new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
        const bytesOf = (item) => (item instanceof Uint8Array ? String.fromCharCode(...item) : item);
        const [stored, keys] = [[], []];
        for (const { name } of await indexedDB.databases()) {
          if (!name.startsWith("fuselet-secrets")) continue;
          const database = await settle(indexedDB.open(name));
          for (const store of database.objectStoreNames) {
            for (const item of await settle(database.transaction(store).objectStore(store).getAll())) {
              stored.push(JSON.stringify(item, (_, part) => bytesOf(part)));
              for (const key of Object.values(item).filter((each) => each instanceof CryptoKey)) {
                const exported = await crypto.subtle.exportKey("raw", key).then(
                  () => true,
                  () => false,
                );
                keys.push([key.algorithm.name, key.extractable, exported]);
              }
            }
          }
          database.close();
        }
        return { stored, keys };
      });
      assert.ok(stored.length >= 2);
      assert.deepEqual(canary.in(stored.join("\n")), []);
      assert.deepEqual(keys, [
        ["AES-GCM", false, false],
        ["HMAC", false, false],
      ]);
      await page.close();
    },
  };
  return { cases, close: async () => void (await (await opening)?.close()) };
}

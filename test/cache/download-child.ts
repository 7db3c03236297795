/**
 * Downloads one file after the other through the host's own binding, until it is killed:
 *
 *     node download-child.ts FOLDER URL        prints `kept NAME` after each, whole or not at all
 *     node download-child.ts FOLDER URL NAME…  these, then ends
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openBindings } from "../../host/bindings.node.ts";
import type { Call } from "../../host/host.ts";
import { createBroker } from "../../host/permissions/broker.ts";
import { checkPermissions } from "../../host/permissions/descriptor.ts";
import { bodyOf, NAMES } from "./bodies.mjs";

const [folder, origin, ...wanted] = process.argv.slice(2) as [string, string, ...string[]];
const { bindings, close } = openBindings({ cacheFolder: folder, dataFolder: join(folder, "data") });
const ending = new AbortController();
const permissions = checkPermissions({ net: true });
const broker = createBroker({ permissions });
const asking = { principal: "ada", udf: { name: "u", hash: "h" }, permissions, runId: "1" };
const call = {
  ...asking,
  signal: ending.signal,
  taken: () => Promise.resolve(),
  require: (permission, value) => broker.require(permission, value, asking),
} as Partial<Call> as Call;
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function get(name: string) {
  const request = { url: `${origin}/${name}`, path: name, storage: "auto", sha256: null, timeoutMs: 10_000 };
  const { file, size } = (await bindings.download!.get!([request], call)) as { file: number; size: number };
  const bytes = (await bindings.files!.read!([file, 0, size], call)) as Uint8Array;
  await bindings.files!.close!([file], call);
  if (hash(bytes) !== hash(bodyOf(name))) throw new Error(`${name} is not whole: ${bytes.length} bytes`);
  process.stdout.write(`kept ${name}\n`);
}

if (wanted.length > 0) {
  for (const name of wanted) await get(name);
  ending.abort();
  await close();
} else {
  for (;;) await get(NAMES[Math.floor(Math.random() * NAMES.length)] as string);
}

/**
 * A process that fills a storage, for quota.node.test.ts.
 *
 *     node quota-child.ts FOLDER NAME BYTES OBJECTS SIZE      prints `ready`, waits for a line, then puts files of this size until that is
 *                                                             refused ten times; prints how many there were
 */
import { once } from "node:events";
import { openStorage } from "../../host/storage/storage.node.ts";
import { openRuns, pattern } from "./storage-run.ts";

const [dataFolder, name, ...numbers] = process.argv.slice(2) as [string, string, ...string[]];
const [bytes, objects, size] = numbers.map(Number) as [number, number, number];
const { drivers, close } = openStorage({ dataFolder, quota: { bytes, objects } });
const storage = openRuns(drivers)();
console.log("ready");
await once(process.stdin, "data");
let written = 0;
for (let refused = 0, i = 0; refused < 10; i++) {
  try {
    await storage.put(`fd://${name}-${i}`, pattern(size));
    written++;
  } catch (error) {
    if ((error as { code?: string }).code !== "full") throw error;
    refused++;
  }
}
console.log(written);
await close();
process.exit();

import { readFileSync } from "node:fs";
import { udf } from "fuselet/udf";

export default udf({}, ({ canary }: { canary: string; folder: string; port: number; pid: number }) => {
  readFileSync(canary);
  return ["file"];
});

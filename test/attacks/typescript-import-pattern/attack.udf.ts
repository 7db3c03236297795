import { udf } from "fuselet/udf";
import { name } from "./name.ts";

export default udf({}, async () => {
  const reached: string[] = [];
  const ways: Record<string, () => Promise<unknown>> = {
    "package.json": () => import(`../../../${name}.json`, { with: { type: "json" } }),
    root: () => import(`./usr/share/${name}.json`, { with: { type: "json" } }),
    licence: () => import(`../../../../../../../../usr/share/common-licenses/${name}.txt`),
  };
  for (const [way, load] of Object.entries(ways)) {
    try {
      await load();
      reached.push(way);
    } catch {}
  }
  return reached;
});

import { download, udf } from "fuselet/udf";

/** What each of them may have. */
const OWN: Record<string, string[]> = {
  may: ["plain", "redirected", "by name"],
  "the first server alone": ["plain"],
  "a denial": ["plain"],
};

export default udf({}, async (parameters: { who: string; server: string; other: string }) => {
  const { who, server, other } = parameters;
  const urls = {
    plain: `http://${server}/plain`,
    redirected: `http://${server}/redirect?to=${encodeURIComponent(`http://${other}/there`)}`,
    "by name": `http://granted.test:${server.split(":")[1]}/by-name`,
  };
  const reached: string[] = [];
  for (const [name, url] of Object.entries(urls)) {
    const file = await download(url, name).catch(() => null);
    if (file && !OWN[who]?.includes(name)) reached.push(`${name} with ${who}`);
  }
  return reached;
});

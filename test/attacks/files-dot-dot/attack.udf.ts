import { host, udf } from "fuselet/udf";

/** Where the canary is, from the folder `granted`, which lies two below its own. */
const spellings = (granted: string, canary: string) => {
  const up = "../".repeat(12);
  const rest = canary.slice(1);
  return {
    dots: [`file://${granted}/${up}${rest}`, `${granted}/below/../../../../../../..${canary}`],
    "dots of fd": [`fd://${up}${rest}`, `fd://below/${up}${rest}`],
    encoded: [
      `file://${granted}/${up.replaceAll(".", "%2e")}${rest}`,
      `fd://${up.replaceAll("/", "%2f")}${rest}`,
    ],
    "encoded twice": [`file://${granted}/${up.replaceAll(".", "%252e").replaceAll("%25", "%")}${rest}`],
    backslash: [
      `file://${granted}/${up.replaceAll("/", "\\")}${rest}`,
      `fd://..\\..\\..\\..\\..\\..${canary}`,
    ],
    doubled: [`file://${granted}//..//..//..//..//..//..//${rest}`],
    "one dot": [`file://${granted}/./../../../../../../${rest}`],
    "two dots as one character": [`file://${granted}/\u2025/\u2025/\u2025/\u2025/\u2025/${rest}`],
    "full-width dots": [`file://${granted}/\uff0e\uff0e/\uff0e\uff0e/\uff0e\uff0e/\uff0e\uff0e/${rest}`],
    "dots with a space": [`file://${granted}/.. /.. /.. /.. /.. /${rest}`],
    "dots with NUL": [`file://${granted}/..\u0000/..\u0000/..\u0000/..\u0000/${rest}`],
    "NUL at the end": [`file://${canary}\u0000${granted}/inside`],
    "overlong encoding": [`file://${granted}/%c0%ae%c0%ae/%c0%ae%c0%ae/%c0%ae%c0%ae/${rest}`],
    "half a character": [`file://${granted}/..\ud800/../../../../..${canary}`],
    "very long": [`file://${granted}/${"x/../".repeat(2000)}${up}${rest}`],
    absolute: [`fd://${canary}`, `fd:///${rest}`, canary, `file://${canary}`],
    "another machine": [`file://localhost${canary}`, `file://127.0.0.1${canary}`],
    "a query": [
      `file://${granted}/inside?/../../../../..${canary}`,
      `file://${granted}/inside#/../../..${canary}`,
    ],
    "a scheme in capitals": [`FILE://${canary}`, `FD://${up}${rest}`],
  };
};

export default udf({}, async ({ granted, canary }: { granted: string; canary: string }) => {
  const reached: string[] = [];
  for (const [name, urls] of Object.entries(spellings(granted, canary))) {
    for (const url of urls) {
      const folder = url.replace(/canary\b.*$/s, "");
      const ways = [
        () => host.call("storage.get", url),
        () => host.call("storage.open", url),
        () => host.call("storage.details", url),
        () => host.call("storage.list", folder).then((page) => hasCanary(page)),
        () => host.call("storage.sign", url),
        // Where it went is seen there: below the granted folder it does no harm.
        () =>
          host.call("storage.put", url.replace(/canary\b/, "planted"), new Uint8Array(1)).then(() => false),
      ];
      for (const way of ways) {
        const answer = await way().catch(() => false);
        if (answer !== false && !reached.includes(name)) reached.push(name);
      }
    }
  }
  return reached;
});

const hasCanary = (page: unknown) =>
  (page as { entries: { name: string }[] }).entries.some(({ name }) => name === "canary");

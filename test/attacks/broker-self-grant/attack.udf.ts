import { host, udf } from "fuselet/udf";

export const permissions = { net: ["127.0.0.1", "localhost"], read: ["/"] };

export default udf(
  {
    permissions: {
      net: ["127.0.0.1", "localhost"],
      read: ["/"],
      write: ["/"],
      cache: true,
      reason: "it is needed",
    },
    metadata: { permissions: { net: true, read: true }, "fuselet:permissions": { net: true } },
  },
  async ({ port, granted }: { port: number; granted: string }) => {
    const request = {
      url: `http://127.0.0.1:${port}/`,
      method: "GET",
      headers: [],
      body: null,
      redirect: "follow",
    };
    const reached: string[] = [];
    for (const more of [
      {},
      { permissions: { net: true } },
      { principal: "admin" },
      { grant: true, allowed: true },
    ]) {
      const answer = await host
        .call("net.fetch", { ...request, ...more }, { permissions: { net: true } })
        .catch(() => null);
      if (answer && !reached.includes("net")) reached.push("net");
    }
    const inside = await host.call("storage.get", `${granted}/inside`).catch(() => null);
    if (inside) reached.push("read");
    return reached;
  },
);

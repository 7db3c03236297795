import { download, host, udf } from "fuselet/udf";

const urls = (canary: string, target: string) => ({
  file: `file://${canary}`,
  "file of localhost": `file://localhost${canary}`,
  "file in capitals": `FILE:${canary}`,
  data: "data:,canary",
  blob: `blob:http://${target}/1`,
  ftp: `ftp://${target}/`,
  gopher: `gopher://${target}/_GET%20/`,
  socket: `unix:${canary}`,
  "http over a socket": `http+unix://${encodeURIComponent(canary)}/`,
  websocket: `ws://${target}/`,
  javascript: "javascript:'canary'",
  about: "about:blank",
  "view-source": `view-source:http://${target}/`,
  jar: `jar:http://${target}/!/x`,
  filesystem: `filesystem:http://${target}/x`,
});

export default udf({}, async ({ port, canary }: { port: number; canary: string }) => {
  const reached: string[] = [];
  for (const [name, url] of Object.entries(urls(canary, `127.0.0.1:${port}`))) {
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow" };
    const ways = [
      () => host.call("net.fetch", request),
      () => download(url, `schemes/${name}`),
      () => host.call("storage.get", url),
      () => host.call("storage.open", url),
    ];
    for (const way of ways) {
      const answer = await way().catch(() => null);
      if (answer && !reached.includes(name)) reached.push(name);
    }
  }
  return reached;
});

import { download, host, udf } from "fuselet/udf";

const targets = (canary: string, target: string) => ({
  file: `file://${canary}`,
  "file in capitals": `FILE://${canary}`,
  data: "data:,canary",
  ftp: `ftp://${target}/`,
  websocket: `ws://${target}/`,
  javascript: "javascript:1",
  about: "about:blank",
  blob: `blob:http://${target}/1`,
  "no host": "http://",
  "wrong port": `http://127.0.0.1:99999/`,
});

export default udf({}, async (parameters: { port: number; canary: string; server: string }) => {
  const { port, canary, server } = parameters;
  const reached: string[] = [];
  for (const [name, to] of Object.entries(targets(canary, `127.0.0.1:${port}`))) {
    const url = `http://${server}/redirect?to=${encodeURIComponent(to)}`;
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow" };
    const ways = [
      () => fetch(url).then((answer) => answer.text()),
      () => host.call("net.fetch", request),
      () => download(url, `schemes/${name}`),
    ];
    for (const way of ways) {
      const answer = await way().catch(() => null);
      if (answer !== null && !reached.includes(name)) reached.push(name);
    }
  }
  return reached;
});

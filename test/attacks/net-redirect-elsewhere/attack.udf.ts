import { download, host, udf } from "fuselet/udf";

const targets = (port: number, server: string) => ({
  port: `http://127.0.0.1:${port}/`,
  number: `http://2130706433:${port}/`,
  localhost: `http://localhost:${port}/`,
  mapped: `http://[::ffff:7f00:1]:${port}/`,
  "no scheme": `//127.0.0.1:${port}/`,
  backslashes: `\\\\127.0.0.1:${port}\\`,
  "four slashes": `////127.0.0.1:${port}/`,
  tab: `ht\ttp://127.0.0.1:${port}/`,
  user: `http://127.0.0.1:${port}\\@${server}/`,
  "user name": `http://${server}@127.0.0.1:${port}/`,
  fragment: `http://127.0.0.1:${port}/#@${server}/`,
  twice: `http://${server}/redirect?to=${encodeURIComponent(`http://127.0.0.1:${port}/`)}`,
});

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

export default udf({}, async ({ port, server }: { port: number; server: string }) => {
  const reached: string[] = [];
  for (const [name, to] of Object.entries(targets(port, server))) {
    for (const status of [301, 302, 303, 307, 308]) {
      const url = `http://${server}/redirect?status=${status}&to=${encodeURIComponent(to)}`;
      const request = { url, method: "GET", headers: [], body: null, redirect: "follow" };
      const ways = [
        () => fetch(url).then((answer) => answer.text()),
        () => host.call("net.fetch", request).then((answer) => text((answer as { body: Uint8Array }).body)),
        // What is kept of one attempt must not be found by the next.
        () => download(url, `${name}-${status}`).then((file) => file.text()),
        () => host.call("storage.get", url.replace("?", "%3f")).then((bytes) => text(bytes as Uint8Array)),
      ];
      for (const way of status === 302 ? ways : ways.slice(0, 1)) {
        if ((await way().catch(() => "")) === "canary" && !reached.includes(name)) reached.push(name);
      }
    }
  }
  return reached;
});

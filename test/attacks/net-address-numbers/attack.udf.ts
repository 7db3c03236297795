import { host, udf } from "fuselet/udf";

const SPELLINGS = {
  plain: "127.0.0.1",
  decimal: "2130706433",
  hexadecimal: "0x7f000001",
  octal: "017700000001",
  "two parts": "127.1",
  "three parts": "127.0.1",
  mixed: "0x7f.0.0.01",
  "long octal": "0000000177.0.0.1",
  "full-width": "\uff11\uff12\uff17.0.0.1",
  "other dots": "127\u30020\uff0e0\uff611",
};

const request = (url: string) => ({ url, method: "GET", headers: [], body: null, redirect: "follow" });

export default udf({}, async ({ port }: { port: number }) => {
  const reached: string[] = [];
  for (const [name, spelling] of Object.entries(SPELLINGS)) {
    const url = `http://${spelling}:${port}/`;
    const ways = [
      () => fetch(url).then((answer) => answer.bytes()),
      () => host.call("net.fetch", request(url)).then((answer) => (answer as { body: Uint8Array }).body),
    ];
    for (const way of ways) {
      const body = await way().catch(() => new Uint8Array());
      if (new TextDecoder().decode(body) === "canary" && !reached.includes(name)) reached.push(name);
    }
  }
  return reached;
});

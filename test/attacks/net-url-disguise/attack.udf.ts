import { download, host, udf } from "fuselet/udf";

const disguises = (target: string, allowed: string) => ({
  "user name": `http://${allowed.replace(":", "%3a")}@${target}/`,
  password: `http://${allowed}@${target}/`,
  "two users": `http://${allowed}@${allowed}@${target}/`,
  "backslash and user": `http://${target}\\@${allowed}/`,
  "user and backslash": `http://${allowed}\\@${target}/`,
  hash: `http://${target}#@${allowed}/`,
  question: `http://${target}?@${allowed}/`,
  semicolon: `http://${allowed};${target}/`,
  comma: `http://${allowed},${target}/`,
  tab: `ht\ttp://12\t7.0.0.1:${target.split(":")[1]}/`,
  "line break": `http://${target}\n/\r\n@${allowed}/`,
  "one slash": `http:/${target}/`,
  "no slash": `http:${target}/`,
  "three slashes": `http:///${target}/`,
  "upper case": `HtTp://${target}/${allowed}`,
  spaces: `  http://${target}/ ${allowed}  `,
  nul: `http://${allowed}\u0000@${target}/`,
});

export default udf({}, async ({ port, server }: { port: number; server: string }) => {
  const reached: string[] = [];
  for (const [name, url] of Object.entries(disguises(`127.0.0.1:${port}`, server))) {
    const request = { url, method: "GET", headers: [], body: null, redirect: "follow" };
    const ways = [
      () => fetch(url).then((answer) => answer.text()),
      () => host.call("net.fetch", request).then((answer) => text((answer as { body: Uint8Array }).body)),
      () => download(url, `disguise/${reached.length}`).then((file) => file.text()),
      () => host.call("storage.get", url).then((bytes) => text(bytes as Uint8Array)),
    ];
    for (const way of ways) {
      const body = await way().catch(() => "");
      if (body === "canary" && !reached.includes(name)) reached.push(name);
    }
  }
  return reached;
});

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

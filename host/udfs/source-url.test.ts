import { expect, test } from "vitest";
import { UdfLoadError } from "../../runtime/errors.ts";
import { serve } from "../net/fixtures/servers.ts";
import { readUrlHeaders } from "./source-url.ts";

const code = (text: string) => new TextEncoder().encode(text);

/** What is asked for when a UDF's own text names its modules. */
async function asked(source: string, names: string[]): Promise<string[]> {
  const urls: string[] = [];
  await readUrlHeaders(new URL(source), names, async (url) => {
    urls.push(url.href);
    return code("x = 1");
  });
  return urls;
}

test("modules beside a URL are below its folder, whatever a reader of URLs could take their names for", async () => {
  const source = "http://user:password@example.org:8080/a%20b/udf/main.py?token=1#there";
  const folder = "http://user:password@example.org:8080/a%20b/udf/";
  const names: Record<string, string> = {
    helper: "helper.py",
    "./lib/deep.py": "lib/deep.py",
    "caf\u00e9.py": "caf%C3%A9.py",
    "%2e%2e/%2e%2e/secret.py": "%252e%252e/%252e%252e/secret.py",
    "lib/.%2E/x.py": "lib/.%252E/x.py",
    "a%2f..%2fsecret.py": "a%252f..%252fsecret.py",
    "a?token=2.py": "a%3Ftoken%3D2.py",
    "a#b": "a%23b.py",
    "https:secret.py": "https%3Asecret.py",
    "https:evil.test/secret.py": "https%3Aevil.test/secret.py",
    "blob:x": "blob%3Ax.py",
    "@evil.test/x.py": "%40evil.test/x.py",
  };
  const urls = await asked(source, Object.keys(names));
  expect(urls).toEqual(Object.values(names).map((path) => folder + path));
});

test.each([
  "\\\\evil.test\\x.py",
  "//evil.test/x.py",
  "/x.py",
  "../x.py",
  "a/../../x.py",
  "a//b.py",
  "a\tb.py",
])("the name %j is refused before anything is asked for", async (name) => {
  const urls: string[] = [];
  const reading = readUrlHeaders(new URL("https://example.org/a/udf.py"), [name], async ({ href }) => {
    urls.push(href);
    return code("");
  });
  await expect(reading).rejects.toThrow(UdfLoadError);
  expect(urls).toEqual([]);
});

test("a source without a folder has no modules beside it", async () => {
  await expect(asked("data:text/plain,x", ["helper.py"])).rejects.toThrow(
    "a data: URL has no folder; give the UDF as a folder or a zip",
  );
  await expect(asked("https://example.org/udf.py", ["\ud800.py"])).rejects.toThrow(UdfLoadError);
});

test("a server gives nothing from above the folder, where plain resolution gives it", async () => {
  await using server = await serve((request, response) => {
    response.statusCode = request.url === "/private/secret.py" ? 200 : 404;
    response.end("SECRET = 1");
  });
  const source = new URL(`${server.url}/public/udf.py`);
  const names = ["%2e%2e/private/secret.py", "http:%2e%2e/private/secret.py"];
  const fetchBytes = async (url: URL) => {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  };
  for (const name of names) {
    expect(new TextDecoder().decode(await fetchBytes(new URL(name, source)))).toBe("SECRET = 1");
    await expect(readUrlHeaders(source, [name], fetchBytes)).rejects.toThrow("404");
  }
});

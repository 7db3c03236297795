/** The scenarios of the published client, each counted as a case of the suite. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { publishedClient } from "../setup/published-client.mjs";

const ON_GITHUB = `import fused

@fused.udf
def udf(n: int = 1):
    return seven_times(n)

def seven_times(n):
    return n * 7
`;

/** A server of files that UDFs may download from. Below `/github` it stands for GitHub. */
export async function openFiles() {
  const server = createServer(({ url }, response) => {
    if (url.startsWith("/github/")) {
      const isThere = url === "/github/ada/maps/main/seven.py";
      response.writeHead(isThere ? 200 : 404).end(isThere ? ON_GITHUB : "");
      return;
    }
    response.writeHead(200, { "content-type": "text/csv" });
    response.end("city,population\nOslo,717710\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, close: () => server.close() };
}

/**
 * Runs the scenarios, which are one process of the published client.
 * @param {Awaited<ReturnType<typeof import("../setup/serve.mjs").startServer>>} server
 * @param {{ filesUrl: string, hasGeo: boolean, folder: string, words?: string[] }} options `words` choose scenarios
 * @returns {Promise<[title: string, run: () => string | undefined][]>} cases that say how each went
 */
export async function publishedCases(server, { filesUrl, hasGeo, folder, words = [] }) {
  const place = {
    url: server.url,
    files_url: filesUrl,
    teammate_token: await server.addUser("mate", "default"),
    stranger_token: await server.addUser("stranger", "elsewhere"),
    has_geo: hasGeo,
  };
  const child = spawn(
    await publishedClient(),
    [join(import.meta.dirname, "published_client", "driver.py"), ...words],
    {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        TMPDIR: folder,
        PYTHONDONTWRITEBYTECODE: "1",
        FUSED_AUTH_TOKEN_TYPE: "Fused-Env-Bearer",
        FUSED_AUTH_TOKEN: await server.addUser("ada", "default"),
        SERVER_PLACE: JSON.stringify(place),
      },
    },
  );
  const errors = [];
  child.stderr.on("data", (chunk) => errors.push(chunk));
  const exit = once(child, "exit");
  const cases = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{"title":')) continue;
    const { title, error, skipped, seconds } = JSON.parse(line);
    if (process.argv.includes("--times")) console.log(`${seconds} s  ${title}`);
    cases.push([
      `the published client: ${title}`,
      () => {
        if (error) throw Object.assign(new Error(title), { stack: error });
        return skipped;
      },
    ]);
  }
  const [status] = await exit;
  const stderr = Buffer.concat(errors).toString();
  cases.push([
    "the published client: all scenarios were run",
    () => {
      if (status !== 0) throw new Error(`The driver ended with ${status}:\n${stderr}`);
    },
  ]);
  return cases;
}

/** Indexes and registries on this machine, which count who connects. */
import { createServer } from "node:http";

/**
 * Starts a server on 127.0.0.1.
 * @param {(path: string, request: import("node:http").IncomingMessage) => { status?: number, type?: string, body?: string | Uint8Array, location?: string } | undefined} answer
 */
export async function serve(answer) {
  let connections = 0;
  const paths = [];
  const authorizations = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://index").pathname);
    paths.push(path);
    authorizations.push(request.headers.authorization);
    const found = answer(path, request);
    if (!found) return void response.writeHead(404).end();
    const { status = 200, type = "application/octet-stream", body = "", location } = found;
    response.writeHead(status, { "content-type": type, ...(location ? { location } : {}) }).end(body);
  });
  server.on("connection", () => connections++);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${server.address().port}`;
  return {
    host,
    url: `http://${host}`,
    paths,
    /** The header of each request. */
    authorizations,
    get connections() {
      return connections;
    },
    /** Forgets who has connected so far. */
    reset() {
      connections = 0;
      paths.length = 0;
      authorizations.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

const canonical = (name) => name.toLowerCase().replaceAll(/[-_.]+/g, "-");

/**
 * An index of Python packages (PEP 691, with METADATA as in PEP 658). With `authorization` it answers only requests that have that header.
 * @param {{ file: string, bytes: Uint8Array, sha256: string, metadata?: string, yanked?: boolean, requiresPython?: string, url?: string, served?: Uint8Array }[]} wheels
 *   `served`: what is sent in place of what was promised
 */
export async function servePythonIndex(wheels, { authorization } = {}) {
  const index = await serve((path, request) => {
    if (authorization !== undefined && request.headers.authorization !== authorization)
      return { status: 401 };
    const name = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
    if (name !== undefined) {
      const files = wheels.filter(({ file }) => canonical(file.split("-")[0]) === name);
      if (files.length === 0) return undefined;
      const page = {
        meta: { "api-version": "1.1" },
        name,
        files: files.map(({ file, sha256, metadata, yanked = false, requiresPython, url }) => ({
          filename: file,
          url: url ?? `../../files/${file}`,
          hashes: sha256 === "" ? {} : { sha256 },
          yanked,
          ...(requiresPython ? { "requires-python": requiresPython } : {}),
          ...(metadata ? { "core-metadata": true } : {}),
        })),
      };
      return { type: "application/vnd.pypi.simple.v1+json", body: JSON.stringify(page) };
    }
    const file = /^\/files\/([^/]+?)(\.metadata)?$/.exec(path);
    const wheel = wheels.find((each) => each.file === file?.[1]);
    if (!wheel) return undefined;
    return { body: file[2] ? wheel.metadata : (wheel.served ?? wheel.bytes) };
  });
  return Object.assign(index, { wheels, simple: `${index.url}/simple` });
}

/**
 * A registry of npm.
 * @param {{ name: string, version: string, archive: Uint8Array, integrity: string, dependencies?: Record<string, string>, served?: Uint8Array }[]} packages
 *   `served`: what is sent in place of what was promised
 */
export async function serveNpmRegistry(packages) {
  const registry = await serve((path) => {
    const archive = packages.find(({ name, version }) => path === `/${name}/-/${version}.tgz`);
    if (archive) return { body: archive.served ?? archive.archive };
    const versions = packages.filter(({ name }) => path === `/${name}`);
    if (versions.length === 0) return undefined;
    const page = {
      name: versions[0].name,
      "dist-tags": { latest: versions.findLast(({ version }) => !version.includes("-")).version },
      versions: Object.fromEntries(
        versions.map(({ name, version, integrity, dependencies = {} }) => [
          version,
          {
            name,
            version,
            dependencies,
            dist: { tarball: `${registry.url}/${name}/-/${version}.tgz`, integrity },
          },
        ]),
      ),
    };
    return { type: "application/vnd.npm.install-v1+json", body: JSON.stringify(page) };
  });
  return Object.assign(registry, { packages });
}

// Builds the wheel of the Python package (the binary distribution format of packaging.python.org), the same bytes each time.

import { createHash } from "node:crypto";
import { zipSync } from "fflate";
import { parse } from "smol-toml";

/** The oldest time that an archive can hold: a wheel does not tell when it was built. */
const TIME = new Date(1980, 0, 1);

const toBytes = (text) => new TextEncoder().encode(text);

/**
 * Makes the wheel.
 * @param pyproject text of pyproject.toml
 * @param files content by path, as they lie below site-packages
 * @returns {{ name: string, bytes: Uint8Array }} name of the file, and its content
 * @throws Error where the project's version is not `version`
 */
export function buildWheel(pyproject, files, version) {
  const { project } = parse(pyproject);
  if (project.version !== version)
    throw new Error(`sdk/python/pyproject.toml says version ${project.version}, package.json ${version}`);
  const info = `${project.name}-${version}.dist-info`;
  const metadata = [
    "Metadata-Version: 2.4",
    `Name: ${project.name}`,
    `Version: ${version}`,
    `Summary: ${project.description}`,
    `License-Expression: ${project.license}`,
    `Requires-Python: ${project["requires-python"]}`,
    ...project.dependencies.map((requirement) => `Requires-Dist: ${requirement}`),
    "",
  ].join("\n");
  const all = new Map([
    ...files,
    [`${info}/METADATA`, toBytes(metadata)],
    [
      `${info}/WHEEL`,
      toBytes("Wheel-Version: 1.0\nGenerator: fuselet\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    ],
  ]);
  const record = [...all].map(
    ([path, bytes]) =>
      `${path},sha256=${createHash("sha256").update(bytes).digest("base64url")},${bytes.length}\n`,
  );
  all.set(`${info}/RECORD`, toBytes(`${record.join("")}${info}/RECORD,,\n`));
  return {
    name: `${project.name}-${version}-py3-none-any.whl`,
    bytes: zipSync(Object.fromEntries(all), { mtime: TIME }),
  };
}

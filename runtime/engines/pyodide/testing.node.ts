/** Wheels for tests, made on the spot. */
import { createHash } from "node:crypto";
import { strToU8, zipSync } from "fflate";

export interface WheelSpec {
  name: string;
  version: string;
  requires?: readonly string[];
  requiresPython?: string;
  /** Default: one module of the package's name, with `VERSION`. */
  files?: Readonly<Record<string, string>>;
  /** Default: `py3-none-any`. */
  tags?: string;
}

export interface TestWheel {
  file: string;
  bytes: Uint8Array;
  sha256: string;
  metadata: string;
}

/** Makes a wheel; the same words give the same bytes. */
export function makeWheel({
  name,
  version,
  requires = [],
  requiresPython,
  files = { [`${name.replaceAll("-", "_")}.py`]: `VERSION = "${version}"\n` },
  tags = "py3-none-any",
}: WheelSpec): TestWheel {
  const stem = `${name.replaceAll("-", "_")}-${version}`;
  const metadata = [
    "Metadata-Version: 2.1",
    `Name: ${name}`,
    `Version: ${version}`,
    ...(requiresPython ? [`Requires-Python: ${requiresPython}`] : []),
    ...requires.map((text) => `Requires-Dist: ${text}`),
    "",
    "Words about it",
    "",
  ].join("\n");
  const all: Record<string, string> = {
    ...files,
    [`${stem}.dist-info/METADATA`]: metadata,
    [`${stem}.dist-info/WHEEL`]: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tags}\n`,
    [`${stem}.dist-info/RECORD`]: "",
  };
  const entries = Object.entries(all).map(([path, text]) => [path, strToU8(text)] as const);
  const bytes = zipSync(Object.fromEntries(entries), { mtime: "2024-01-01" });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { file: `${stem}-${tags}.whl`, bytes, sha256, metadata };
}

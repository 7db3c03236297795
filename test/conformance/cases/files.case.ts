/** Files that lie with the host: seen at a path, read on demand where the platform can wait. The bindings are those of bindings.ts. */
import { type Case, defineCase } from "../case.ts";

const python = (body: string): string =>
  `import fused, os\n@fused.udf\ndef udf():\n    ${body.replaceAll("\n", "\n    ")}\n`;
const typescript = (body: string): string =>
  `import { download } from "fuselet/udf";\nexport default async () => {\n  ${body}\n};\n`;

const LOOK = `path = fused.download("https://example.org/x", "folder/small")
with open(path, "rb") as file:
    start = list(file.read(3))
    file.seek(2_999_000)
    end = file.read()
    file.seek(262_140)
    across = list(file.read(8))
return [str(path), os.path.getsize(path), start, len(end), end[-1], across]`;

export default [
  defineCase("a download is read like any file", {
    python: python(LOOK),
    needs: ["blockingCalls"],
    value: [
      "/mnt/cache/folder/small",
      3_000_000,
      [0, 1, 2],
      1000,
      2_999_999 % 251,
      [96, 97, 98, 99, 100, 101, 102, 103],
    ],
  }),
  defineCase("a download is there in the run that asked for it, and in no other", {
    python: python(
      'found = os.path.exists("/mnt/cache")\nfused.download("https://example.org/x", "small")\nreturn [found, os.listdir("/mnt/cache")]',
    ),
    needs: ["blockingCalls"],
    runs: [{ value: [false, ["small"]] }, { value: [false, ["small"]] }],
  }),
  defineCase("of a file larger than memory, parts are read", {
    python: python(
      'path = fused.download("https://example.org/x", "large")\nwith open(path, "rb") as file:\n    file.seek(4 * 1024**3)\n    return [os.path.getsize(path), list(file.read(4))]',
    ),
    needs: ["blockingCalls", "onDemandFiles"],
    value: [5 * 1024 ** 3, [0, 1, 2, 3].map((i) => (4 * 1024 ** 3 + i) % 251)],
  }),
  defineCase("a download cannot be written to", {
    python: python(
      'path = fused.download("https://example.org/x", "small")\ntry:\n    with open(path, "r+b") as file:\n        file.write(b"x")\nexcept OSError as error:\n    return type(error).__name__',
    ),
    needs: ["blockingCalls", "onDemandFiles"],
    value: "PermissionError",
  }),
  defineCase("a download that is not granted is a denial", {
    python: python('fused.download("https://example.org/x", "denied")'),
    typescript: typescript('await download("https://example.org/x", "denied");'),
    needs: ["blockingCalls"],
    error: { name: "PermissionDeniedError", permission: "net", value: "example.com", exitCode: 3 },
  }),
  defineCase("a download is read in parts", {
    typescript: typescript(
      'const file = await download("https://example.org/x", "small");\nreturn [file.size, await file.read(2, 3), (await file.read(2_999_998)).length, (await file.read()).length];',
    ),
    value: [3_000_000, Uint8Array.of(2, 3, 4), 2, 3_000_000],
  }),
  defineCase("folders for a run's own files are made", {
    python: python(
      'path = fused.file_path("a/b/c.csv")\nopen(path, "w").write("x")\nreturn [path, os.listdir(fused.file_path("a/b"))]',
    ),
    value: ["/mnt/cache/a/b/c.csv", ["c.csv"]],
  }),
  defineCase("a path that leaves its folder is refused", {
    python: python('fused.file_path("../secret")'),
    error: { name: "UdfRuntimeError", type: "ValueError" },
  }),
] satisfies Case[];

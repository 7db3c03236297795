/**
 * The type check: all files with the platforms' own types, then the portable files alone, where neither the DOM nor
 * Node exists: only what runtime/web-globals.d.ts declares.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { platformOf, sourceFiles } from "./layers.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiler = join(root, "node_modules", "typescript", "bin", "tsc");

/** Runs the compiler on a project; true when it found nothing. */
function check(label, project) {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [compiler, "-p", project, "--pretty", "false"], {
    cwd: root,
    stdio: "inherit",
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`types: ${label} ${status === 0 ? "ok" : "failed"} (${seconds} s)`);
  return status === 0;
}

/**
 * Writes a project of the portable files. Packages may ask for Node's types in their declarations; an empty stand-in
 * keeps these from leaking into ours.
 */
function writePortableProject(folder) {
  const types = join(folder, "types");
  mkdirSync(join(types, "node"), { recursive: true });
  writeFileSync(join(types, "node", "index.d.ts"), "export {};\n");
  const project = join(folder, "tsconfig.json");
  const files = sourceFiles().filter((file) => platformOf(file.path) === "portable");
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: { lib: ["ES2024", "ESNext.Disposable"], types: [], typeRoots: [types] },
      include: [],
      exclude: [],
      files: [
        ...["web-globals.d.ts", "wat.d.ts"].map((name) => join(root, "runtime", name)),
        ...files.map((file) => join(root, file.path)),
      ],
    }),
  );
  return project;
}

const folder = mkdtempSync(join(tmpdir(), "fuselet-types-"));
try {
  const whole = check("everything", join(root, "tsconfig.json"));
  const portable = check("portable files without DOM and Node", writePortableProject(folder));
  process.exitCode = whole && portable ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

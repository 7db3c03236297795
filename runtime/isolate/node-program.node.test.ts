import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findNode } from "./node-program.node.ts";

const OWN = {
  path: process.execPath,
  major: Number(process.versions.node.split(".")[0]),
  v8: process.versions.v8,
};
const deno = join(import.meta.dirname, "../../node_modules/deno/deno");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fuselet-node-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a program named `node` in a folder of its own, and returns the folder. */
function place(name: string, put: (path: string) => void): string {
  mkdirSync(join(folder, name));
  put(join(folder, name, "node"));
  return join(folder, name);
}
const placeScript = (name: string, ...lines: string[]) =>
  place(name, (path) => {
    writeFileSync(path, ["#!/bin/sh", ...lines, ""].join("\n"));
    chmodSync(path, 0o755);
  });
const placeLink = (name: string, to: string) => place(name, (path) => symlinkSync(to, path));

const onPath = (...folders: string[]) => findNode({ PATH: folders.join(delimiter) });

/** Why there is none. */
const whyNot = (program: ReturnType<typeof findNode>) => ("unfit" in program ? program.unfit : program);

test("the first Node on the PATH whose wall holds is taken", () => {
  const odd = placeScript("odd", "echo v26.0.0");
  const broken = placeScript("broken", "exit 9");
  const empty = join(folder, "empty");
  expect(onPath(empty, odd, broken, placeLink("right", process.execPath), placeLink("later", deno))).toEqual(
    OWN,
  );
});

test("a version manager's stand-in leads to the program itself", () => {
  const standIn = placeScript("stand-in", `exec "$REAL" "$@"`);
  expect(findNode({ PATH: standIn, REAL: process.execPath })).toEqual(OWN);
});

test("options of the environment open no wall", () => {
  const NODE_OPTIONS = "--allow-fs-read=* --allow-child-process";
  expect(findNode({ FUSELET_NODE: process.execPath, NODE_OPTIONS })).toEqual(OWN);
});

test("a Node whose wall is open is not taken", () => {
  for (const flag of ["--allow-fs-read=*", "--allow-child-process", "--allow-worker"]) {
    const open = placeScript(flag, `exec ${process.execPath} ${flag} "$@"`);
    expect(whyNot(onPath(open))).toContain("its permission model lets through what it must not");
  }
});

test("Deno that is named node is not taken", () => {
  expect(whyNot(onPath(placeLink("deno", deno)))).toContain("no such Node");
});

test("only the one that FUSELET_NODE names is looked at", () => {
  const right = placeLink("right", process.execPath);
  const FUSELET_NODE = join(placeScript("odd", "exit 3"), "node");
  expect(whyNot(findNode({ FUSELET_NODE, PATH: right }))).toContain(
    `${FUSELET_NODE}: no such Node (exit status 3)`,
  );
  expect(whyNot(findNode({ FUSELET_NODE: "node", PATH: right }))).toContain("node: not an absolute path");
  expect(whyNot(findNode({ FUSELET_NODE: join(folder, "none") }))).toContain("ENOENT");
});

test("folders of the PATH that are relative are not looked into", () => {
  const right = placeLink("right", process.execPath);
  expect(whyNot(onPath(relative(process.cwd(), right), ".", ""))).toBe(
    "it is a process of Node 22.13 or later, with its permission model: there is none on the PATH. Install one, or name it in FUSELET_NODE",
  );
});

/** Looking for a text in files, outputs and the memory of processes, in all forms that somebody could read it from. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";

/** What is the same of a base64 text, whatever stands before and behind the value. */
const cores = (bytes, encoding) =>
  [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding);
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });

/** @returns the forms by name, as bytes */
export function formsOf(value) {
  const bytes = Buffer.from(value);
  const forms = {
    plain: value,
    "lower case": value.toLowerCase(),
    "turned around": [...value].reverse().join(""),
    URL: encodeURIComponent(value),
    JSON: JSON.stringify(value).slice(1, -1),
    hexadecimal: bytes.toString("hex"),
    HEXADECIMAL: bytes.toString("hex").toUpperCase(),
    ...Object.fromEntries(cores(bytes, "base64").map((core, i) => [`base64 ${i}`, core])),
    ...Object.fromEntries(cores(bytes, "base64url").map((core, i) => [`base64url ${i}`, core])),
  };
  const found = Object.entries(forms).map(([name, text]) => [name, Buffer.from(text)]);
  return [...found, ["UTF-16", Buffer.from(value, "utf16le")], ["UTF-32", utf32(value)]];
}

const utf32 = (text) =>
  Buffer.concat([...text].map((character) => Buffer.from([character.codePointAt(0), 0, 0, 0])));

export class Canary {
  #forms;

  constructor(value) {
    this.value = value;
    this.#forms = formsOf(value);
  }

  /** Names of the forms that are there. */
  in(data) {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    return this.#forms.filter(([, form]) => bytes.includes(form)).map(([name]) => name);
  }

  /** Files below a folder in which it is, with the forms. */
  inFiles(folder) {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .flatMap(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [...this.in(readFileSync(path)), ...this.in(name)].map((form) => `${path}: ${form}`);
      });
  }

  /**
   * What of it is in the memory of a process (Linux).
   * @returns the forms, and how many bytes were looked through
   */
  inMemory(pid) {
    const found = new Set();
    let length = 0;
    const memory = openSync(`/proc/${pid}/mem`, "r");
    const part = Buffer.alloc(8 * 1024 * 1024);
    const overlap = 512;
    try {
      for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
        const [, from, to, access] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
        if (!access?.startsWith("rw")) continue;
        const end = Number.parseInt(to, 16);
        for (let at = Number.parseInt(from, 16); at < end; at += part.length - overlap) {
          let read = 0;
          try {
            read = readSync(memory, part, 0, Math.min(part.length, end - at), at);
          } catch {
            break;
          }
          length += read;
          for (const form of this.in(part.subarray(0, read))) found.add(form);
          if (read < part.length) break;
        }
      }
    } finally {
      closeSync(memory);
    }
    return { forms: [...found], length };
  }
}

/** The processes that a process has started. */
export function childrenOf(parent) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const text = readFileSync(`/proc/${pid}/stat`, "utf8");
        return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/**
 * The TypeScript half of the report: what `fuselet` (the host's side) and `fuselet/udf` (the guest's side) have for each function of the
 * reference, with the signature out of the declarations that are shipped.
 *
 * typescript.json says for each name of the reference by which export, and member of it, TypeScript has it.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "@babel/parser";

const ENTRIES = { fuselet: "sdk/typescript/index.node.d.ts", "fuselet/udf": "sdk/typescript/udf.d.ts" };

/** Declarations below a folder `types`, read when they are asked for. */
class Declarations {
  #files = new Map();
  #types;

  constructor(types) {
    this.#types = types;
  }

  /** The declaration of an export, and its members: `FuseletRuntime.run`. @returns {string | null} its text in one line */
  signature(module, path) {
    let found = this.#exported(join(this.#types, ENTRIES[module]), path.split(".")[0]);
    for (const name of path.split(".").slice(1)) found = found && this.#member(found, name);
    return found ? oneLine(found.text.slice(found.node.start, found.node.end)) : null;
  }

  #read(file) {
    const known = this.#files.get(file);
    if (known) return known;
    const text = readFileSync(file, "utf8");
    const { body } = parse(text, { sourceType: "module", plugins: [["typescript", { dts: true }]] }).program;
    this.#files.set(file, { text, body });
    return { text, body };
  }

  #exported(file, name) {
    const { body } = this.#read(file);
    for (const statement of body) {
      const from = statement.source && this.#resolve(file, statement.source.value);
      if (statement.type === "ExportAllDeclaration" && from) {
        const found = this.#exported(from, name);
        if (found) return found;
      }
      if (statement.type !== "ExportNamedDeclaration") continue;
      for (const { exported, local } of statement.specifiers) {
        if (exported.name === name)
          return from ? this.#exported(from, local.name) : this.#named(file, local.name);
      }
    }
    return this.#declared(file, name);
  }

  /** What a name means inside of a file: declared there, or imported. */
  #named(file, name) {
    for (const statement of this.#read(file).body) {
      if (statement.type !== "ImportDeclaration") continue;
      const found = statement.specifiers.find(({ local }) => local.name === name);
      if (found) return this.#exported(this.#resolve(file, statement.source.value), found.imported.name);
    }
    return this.#declared(file, name);
  }

  #declared(file, name) {
    const { text, body } = this.#read(file);
    for (const statement of body) {
      const declaration = statement.declaration ?? statement;
      const declared = declaration.declarations?.[0] ?? declaration;
      if (declared.id?.name === name) return { file, text, node: declared };
    }
    return null;
  }

  #member({ file, text, node }, name) {
    const members = node.body?.body ?? [];
    const found = members.find(({ key }) => key?.name === name);
    if (found) return { file, text, node: found };
    const types = [node.typeAnnotation, node.id?.typeAnnotation?.typeAnnotation, ...(node.extends ?? [])];
    return this.#firstOf(types, (type) => this.#memberOfType({ file, text }, type, name));
  }

  /** The same for a type, as it is written in a file. */
  #memberOfType({ file, text }, type, name) {
    if (type.type === "TSTypeLiteral") {
      const found = type.members.find(({ key }) => key?.name === name);
      return found ? { file, text, node: found } : null;
    }
    const named = type.typeName?.name ?? type.exprName?.name ?? type.expression?.name;
    if (named === undefined) return null;
    const [asked] = (type.typeArguments ?? type.typeParameters)?.params ?? [];
    if (named !== "ReturnType" || asked?.type !== "TSTypeQuery") {
      const declared = this.#named(file, named);
      return declared && this.#member(declared, name);
    }
    const made = this.#named(file, asked.exprName.name);
    const answer = made?.node.returnType?.typeAnnotation;
    return answer ? this.#memberOfType(made, answer, name) : null;
  }

  #firstOf(list, find) {
    for (const one of list) {
      const found = one && find(one);
      if (found) return found;
    }
    return null;
  }

  #resolve(file, source) {
    return source.startsWith(".") ? join(dirname(file), source.replace(/\.js$/, ".d.ts")) : null;
  }
}

const oneLine = (text) =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\s+/g, " ")
    .replace(/^(?:function|export|declare) /, "")
    .replace(/;$/, "")
    .trim();

/**
 * @param {string} dist a build with `--types`
 * @param {string[]} names of the reference
 * @returns {{ name: string, found: { module: string, path: string, signature: string }[], missing: string[] }[]}
 */
export function typescriptTable(dist, names) {
  const types = join(dist, "types");
  if (!existsSync(types))
    throw new Error(`There are no declarations in ${types}: run node build.mjs --types`);
  const declarations = new Declarations(types);
  const table = JSON.parse(readFileSync(join(import.meta.dirname, "typescript.json"), "utf8"));
  const unknown = Object.keys(table).find((name) => !names.includes(name));
  if (unknown) throw new Error(`typescript.json: ${unknown} is no name of the reference`);
  return names.map((name) => {
    const places = (table[name] ?? []).map(([module, path]) => ({
      module,
      path,
      signature: declarations.signature(module, path),
    }));
    return {
      name,
      found: places.filter(({ signature }) => signature !== null),
      missing: places
        .filter(({ signature }) => signature === null)
        .map(({ module, path }) => `${module}: ${path}`),
    };
  });
}

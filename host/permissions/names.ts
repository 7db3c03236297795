/** Rules that are names: UDFs for `run`, packages for `import`, instance types for `remote`, secrets. */
import { net } from "./net.ts";
import { fold, RuleError, type RuleKind, UNSAFE_CHARACTERS } from "./rules.ts";

function nameKind(
  noun: string,
  pattern: RegExp,
  normalise: (name: string) => string = (name) => name,
): RuleKind {
  const canonical = (text: string): string | null =>
    pattern.test(text) && !UNSAFE_CHARACTERS.test(text) ? normalise(text) : null;
  return {
    noun,
    parse(text) {
      if (text === "") throw new RuleError("it is empty");
      if (text === "*") throw new RuleError("it is no name; to allow all, leave out the list");
      const name = canonical(text);
      if (name === null) throw new RuleError(`it is not the name of ${noun}`);
      return name;
    },
    canonical,
    allows: (rule, value) => rule === value,
    denies: (rule, value) => fold(rule) === fold(value),
    intersect: (a, b) => (a === b ? a : null),
  };
}

/** Python's packages compare as PEP 503 says; npm's names (`npm:NAME`) compare exactly, because there `a-b` and `a_b` are two. */
const normalisePackage = (name: string) =>
  name.startsWith("npm:") ? name : name.toLowerCase().replace(/[-_.]+/g, "-");

export const packageNames = nameKind(
  "a package",
  /^(npm:(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)$/,
  normalisePackage,
);

export const udfNames = nameKind("a UDF", /^(?! )[^*"'\\]{1,200}(?<! )$/u, (name) => name.normalize("NFC"));

export const instanceTypes = nameKind("an instance type", /^[A-Za-z][A-Za-z0-9.-]{0,63}$/, (name) =>
  name.toLowerCase(),
);

const plainSecretNames = nameKind("a secret", /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/);

/** A value that is asked for: `NAME`, or `NAME@HOST:PORT` where it is to be sent. */
export function splitSecret(value: string): [name: string, host: string | undefined] {
  const at = value.indexOf("@");
  return at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}

/** In a list of secrets, `*` is all others: so that one of them can have hosts, or be revealed. Rules have no host here. */
export const secretNames: RuleKind = {
  ...plainSecretNames,
  canonical(value) {
    const [name, host] = splitSecret(value);
    const secret = plainSecretNames.canonical(name);
    if (host === undefined || secret === null) return secret;
    const target = net.canonical(host);
    return target && `${secret}@${target}`;
  },
  parse: (text) => (text === "*" ? text : plainSecretNames.parse(text)),
  allows: (rule, value) => rule === "*" || rule === splitSecret(value)[0],
  denies: (rule, value) => rule === "*" || plainSecretNames.denies(rule, splitSecret(value)[0]),
  intersect: (a, b) => (a === "*" || a === b ? b : b === "*" ? a : null),
};

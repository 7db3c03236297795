/** What every kind of rule can do. A rule is a canonical text, so that a descriptor stays plain JSON. */
export interface RuleKind {
  /** What one of its values is called in messages: "a host", "a path". */
  noun: string;
  /** Reads a rule as a person wrote it. @throws RuleError that says why it is none. */
  parse(text: string): string;
  /**
   * Brings a value that was asked for to the form in which it is compared and shown.
   * @returns null where it is unsafe or malformed: such a value is never allowed.
   */
  canonical(value: string): string | null;
  /** Whether an allow rule covers a canonical value: exact where in doubt. */
  allows(rule: string, value: string): boolean;
  /** Whether a deny rule covers a canonical value: wide where in doubt. */
  denies(rule: string, value: string): boolean;
  /** The rule that covers what both cover; null where that is nothing. */
  intersect(a: string, b: string): string | null;
}

/** Why a text is no rule; the descriptor and the flags add where it stood. */
export class RuleError extends Error {
  override readonly name = "RuleError";
}

/** Control characters, line ends, and what is invisible or turns the direction of text around; the last are the tags beyond U+E0000. */
export const UNSAFE_CHARACTERS =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/;

/** How deny rules compare: two names that a file system or a server may take for one are one. */
export const fold = (text: string): string => text.normalize("NFKC").toLowerCase().normalize("NFKC");

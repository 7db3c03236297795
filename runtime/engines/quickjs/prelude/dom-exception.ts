/** `DOMException`. Source: the Web IDL standard, without the constants of its numbers. */
import { define, IntrinsicError, textOf } from "./host.ts";

/** Names with a number, the first is 1; those that are empty have gone out of use. */
const NAMES = [
  "IndexSizeError",
  "",
  "HierarchyRequestError",
  "WrongDocumentError",
  "InvalidCharacterError",
  "",
  "NoModificationAllowedError",
  "NotFoundError",
  "NotSupportedError",
  "InUseAttributeError",
  "InvalidStateError",
  "SyntaxError",
  "InvalidModificationError",
  "NamespaceError",
  "InvalidAccessError",
  "",
  "TypeMismatchError",
  "SecurityError",
  "NetworkError",
  "AbortError",
  "URLMismatchError",
  "QuotaExceededError",
  "TimeoutError",
  "InvalidNodeTypeError",
  "DataCloneError",
];

export class DOMException extends IntrinsicError {
  readonly #message: string;
  readonly #name: string;

  constructor(message: unknown = "", options: unknown = "Error") {
    super();
    this.#message = textOf(message);
    if (typeof options === "object" && options !== null) {
      const { name = "Error" } = options as { name?: unknown };
      this.#name = textOf(name);
      if ("cause" in options) define(this, "cause", options.cause);
    } else this.#name = textOf(options);
  }
  override get name(): string {
    return this.#name;
  }
  override get message(): string {
    return this.#message;
  }
  get code(): number {
    for (let i = 0; i < NAMES.length; i++) if (NAMES[i] === this.#name) return this.#name === "" ? 0 : i + 1;
    return 0;
  }
}

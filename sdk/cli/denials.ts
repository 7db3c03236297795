/** What the host denied to a run. A UDF can raise an error that says so, too, and would then choose the flag that is shown. */
import { type Decision, denialOf } from "../../host/permissions/broker.ts";
import { showText } from "../../host/permissions/show.ts";
import { PermissionDeniedError } from "../../runtime/errors.ts";

/** What a run is denied in vain is kept up to here. */
const MOST_DECISIONS = 1000;
const MOST_CHARACTERS = 10_000;

export class Denials {
  readonly #decisions = new Map<string, Decision>();

  /** Takes note of a decision against a run. */
  add(decision: Decision): void {
    if (decision.value.length > MOST_CHARACTERS) return;
    const key = keyOf(decision.permission, decision.value);
    this.#decisions.delete(key);
    this.#decisions.set(key, decision);
    if (this.#decisions.size > MOST_DECISIONS) {
      this.#decisions.delete(this.#decisions.keys().next().value as string);
    }
  }

  /** The error to show in place of one that came out of a run: in the host's words where the host denied it, else without a flag. */
  explain(error: PermissionDeniedError): PermissionDeniedError {
    const decision = this.#decisions.get(keyOf(error.permission, error.value));
    const own = decision && denialOf(decision);
    const { permission, value } = error;
    const shown =
      own ??
      new PermissionDeniedError(
        `The UDF reports a denial that is none of fuselet's rules, so no flag is named here. It says: ${showText(error.message, 500)}`,
        { permission, value, grant: "" },
      );
    // What the run wrote stays with the error.
    const { message, grant } = shown;
    return Object.assign(new PermissionDeniedError(message, { permission, value, grant }), {
      ...error,
      grant,
    });
  }
}

const keyOf = (permission: string, value: string) => JSON.stringify([permission, value]);

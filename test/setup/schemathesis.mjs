/**
 * A virtual environment with schemathesis, which makes requests of an OpenAPI document and checks the answers.
 *
 *     node test/setup/schemathesis.mjs        prints the path of its python
 */
import { venv } from "./venv.mjs";

/** The path of a python that has it. @throws Error where it cannot be installed */
export const schemathesis = () => venv("schemathesis", ["schemathesis==4.32.5"]);

if (import.meta.main) console.log(await schemathesis());

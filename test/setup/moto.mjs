/**
 * A virtual environment with moto, which stands for AWS in tests.
 *
 *     node test/setup/moto.mjs        prints the path of its python
 */
import { venv } from "./venv.mjs";

/** The path of a python that has moto: `python -m moto.server`. @throws Error where it cannot be installed */
export const moto = () => venv("moto", ["moto[server,s3]==5.2.5"]);

if (import.meta.main) console.log(await moto());

/**
 * A virtual environment with FastAPI and uvicorn, what a Python function is usually served with.
 *
 *     node test/setup/fastapi.mjs        prints the path of its python
 */
import { venv } from "./venv.mjs";

/** The path of a python that has them. @throws Error where they cannot be installed */
export const fastapi = () =>
  venv("fastapi", ["fastapi==0.165.0", "uvicorn==0.54.0", "httptools==0.9.0", "uvloop==0.23.0"]);

if (import.meta.main) console.log(await fastapi());

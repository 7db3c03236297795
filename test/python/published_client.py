"""The published client of Fused, in a virtual environment of its own: what it does is what ours must do. It is run, never imported here."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

VERSION = "2.9.5"

# The client alone has no library for tables.
_PACKAGES = [f"fused=={VERSION}", "geopandas==1.2.0", "pandas==3.1.1", "pyarrow==26.0.1"]

_PRELUDE = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import fused
fused.options.never_import = True

def described(load):
    try:
        udf = load()
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}
    fields = {name: getattr(udf, name) for name in ("name", "entrypoint", "parameters", "code", "cache_max_age")}
    return {**fields, "headers": {header.module_name: header.source_code for header in udf.headers}, "metadata": udf.metadata or {}}

given = json.load(sys.stdin)
"""


def python() -> str:
    """The environment's interpreter; it is made once. `FUSELET_CLIENT_PYTHON` names another one."""
    if given := os.environ.get("FUSELET_CLIENT_PYTHON"):
        return given
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fuselet-test"
    folder = cache / f"client-{VERSION}-tables"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f"client-{VERSION}.part-", dir=cache))
        subprocess.run([sys.executable, "-m", "venv", part], check=True)
        made = part / "bin" / "python"
        subprocess.run([made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *_PACKAGES], check=True)
        try:
            part.rename(folder)
        except OSError:
            # Another process was faster: its environment is the same.
            if not folder.exists():
                raise
    return str(folder / "bin" / "python")


def run(code: str, given: Any, folder: Path) -> Any:
    """Runs code in the client's interpreter: `given` is there, `described(load)` too, and what it calls `answer` comes back."""
    script = f"{_PRELUDE}\n{code}\nprint('ANSWER' + json.dumps(answer))\n"
    environment = {**os.environ, "HOME": str(folder), "FUSED_AUTH_TOKEN_TYPE": "Fused-Service-Token", "FUSED_AUTH_TOKEN": "none",
                   "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}  # fmt: skip
    done = subprocess.run([python(), "-c", script], input=json.dumps(given), capture_output=True, text=True, cwd=folder, env=environment, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.rpartition("ANSWER")[2])

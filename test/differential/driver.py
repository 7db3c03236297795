"""Runs programs that use `fused`, and tells what came of each. The same file runs in CPython, with the published client, and as a
UDF in an isolate, with ours.

    python driver.py < programs.json > outcomes.json
"""

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import types
import warnings

import fused


def describe(value):
    """A value as JSON that keeps its type: what is equal here is equal."""
    kind = type(value)
    name = kind.__name__
    if value is None or kind in (bool, str, int):
        return value
    if kind is float:
        return {"float": repr(value)}
    if kind in (list, tuple, set, frozenset):
        items = [describe(item) for item in (value if kind in (list, tuple) else sorted(value, key=repr))]
        return items if kind is list else {name: items}
    if kind is dict:
        return {"dict": [[describe(key), describe(item)] for key, item in value.items()]}
    if kind in (bytes, bytearray):
        return {name: value.hex()}
    module = kind.__module__.partition(".")[0]
    if module in ("datetime", "uuid", "decimal", "pathlib", "fractions"):
        return {name: str(value)}
    if module == "enum" or isinstance(value, BaseException):
        return {name: str(value)}
    if module == "numpy":
        return {name: _dtype(value.dtype), "values": [describe(item) for item in value.ravel().tolist()], "shape": list(value.shape)}
    if module in ("pandas", "geopandas"):
        return _pandas(value, name)
    if module == "pyarrow":
        return {name: str(value.schema if hasattr(value, "schema") else value.type), "values": describe(value.to_pylist())}
    if module == "shapely":
        return {name: value.wkt}
    if name == "Tile":
        # mercantile's, or our own where it is not installed.
        return {name: [int(number) for number in value]}
    return {"object": name}


def _dtype(dtype):
    # numpy's own integer has the width of a pointer, and that is 4 bytes in WebAssembly.
    return "int64" if sys.maxsize < 2**32 and str(dtype) == "int32" else str(dtype)


def _pandas(value, name):
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        columns = [[describe(label), _pandas(value.iloc[:, at], "Series")] for at, label in enumerate(value.columns)]
        crs = getattr(value, "crs", None) if name == "GeoDataFrame" and value._geometry_column_name in value.columns else None
        return {name: columns, "index": _pandas(value.index, type(value.index).__name__), "names": describe(list(value.columns.names)),
                "crs": crs and str(crs)}  # fmt: skip
    if isinstance(value, pd.MultiIndex):
        return {name: describe(list(value.names)), "values": describe(value.tolist())}
    if isinstance(value, pd.RangeIndex):
        return {name: [int(value.start), int(value.stop), int(value.step)], "name": describe(value.name)}
    if isinstance(value, pd.Series | pd.Index):
        index = {} if isinstance(value, pd.Index) else {"index": describe(value.index.tolist())}
        return {name: _dtype(value.dtype), "name": describe(value.name), "values": describe(value.tolist()), **index}
    return {name: str(value)}


def attempt(call, *args, **given):
    """What a call gives, or its error."""
    try:
        return call(*args, **given)
    except Exception as error:
        return error


def run_program(program):
    """What came of one program: its `answer`, its error, and what it printed."""
    folder = os.path.realpath(tempfile.mkdtemp())
    file = os.path.join(folder, "program.py")
    with open(file, "w") as opened:
        opened.write(program["code"])
    # Of the same name in each: it is seen in pickles and in error messages.
    module = types.ModuleType("program")
    module.__file__ = file
    module.__dict__.update(fused=fused, attempt=attempt)
    before, cached, here, engine = sys.modules.get("program"), fused.options.local_engine_cache, os.getcwd(), fused.options.default_udf_run_engine
    sys.modules["program"] = module
    fused.options.local_engine_cache, fused.options.default_udf_run_engine = False, "local"
    stdout, stderr = io.StringIO(), io.StringIO()
    outcome = {"value": None, "error": None}
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(compile(program["code"], file, "exec", dont_inherit=True), module.__dict__)
                outcome["value"] = describe(module.__dict__.get("answer"))
            except Exception as error:
                outcome["error"] = [type(error).__name__, str(error)]
    finally:
        os.chdir(here)
        fused.options.local_engine_cache, fused.options.default_udf_run_engine = cached, engine
        sys.modules.pop("program") if before is None else sys.modules.update(program=before)
        shutil.rmtree(folder, ignore_errors=True)
    outcome["stdout"], outcome["stderr"] = stdout.getvalue(), stderr.getvalue()
    told = json.loads(json.dumps(outcome, default=lambda value: {"unknown": repr(value)}).replace(folder, "FOLDER"))
    if program.get("ours"):
        told["holds"] = describe(attempt(eval, program["ours"], {"outcome": told, **told}))
    return told


@fused.udf(name="differential")
def udf(programs: str):
    """Outcomes of programs, which come as JSON; they go back as JSON."""
    return json.dumps([run_program(program) for program in json.loads(programs)])


if __name__ == "__main__":
    told = [run_program({"code": program["code"]}) for program in json.load(sys.stdin)]
    print("OUTCOMES" + json.dumps(told))

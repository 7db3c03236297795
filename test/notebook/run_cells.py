"""Runs the cells of a notebook in order, in one namespace and one event loop, as a kernel does; gives what each showed."""

import ast
import contextlib
import inspect
import io
import json
import linecache
import sys


async def run_cells(text):
    """The output of each code cell: `text` is what it printed, `result` the repr of its last expression, or None."""
    namespace = {"__name__": "__main__"}
    shown = []
    for number, cell in enumerate(json.loads(text)["cells"]):
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        file = f"<cell {number}>"
        # UDFs are read from their source, as kernels keep it.
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        tree = ast.parse(source, file)
        last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
        printed, result = io.StringIO(), None
        with contextlib.redirect_stdout(printed):
            await _run(compile(tree, file, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace)
            if last is not None:
                result = await _run(compile(last, file, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), namespace)
        shown.append({"text": printed.getvalue(), "result": None if result is None else repr(result)})
    return json.dumps(shown)


async def _run(code, namespace):
    value = eval(code, namespace)
    return await value if code.co_flags & inspect.CO_COROUTINE else value


if __name__ == "__main__":
    import asyncio

    print(asyncio.run(run_cells(open(sys.argv[1], encoding="utf-8").read())))

#% run of a text
answer = fused.run("import fused\n@fused.udf\ndef udf(a: int = 1):\n    return a + 1\n", a="4", engine="local")

#% run of a file
with open("one.py", "w") as file:
    file.write("import fused\n@fused.udf\ndef main(a: int = 1):\n    return a + 1\n")
answer = fused.run("one.py", a=2, engine="local")

#% run of a folder
@fused.udf
def folded(a: int = 3):
    return a


folded.to_directory("folded")
answer = fused.run("folded", a="8", engine="local")

#% run of a text that has no UDF
answer = fused.run("x = 1\ny = 2\n", engine="local")

#% run of a text whose code is broken
answer = fused.run("import fused\n@fused.udf\ndef udf(:\n", engine="local")

#% a folder that is none
import os

os.mkdir("empty")
answer = attempt(fused.load, "empty") and type(attempt(fused.load, "empty")).__name__

#% a call of a UDF: VALUE
#: udf(1, "2", engine="local") ; udf(1, b=3, engine="local") ; udf(b=4, a=2, engine="local")
@fused.udf
def udf(a: int, b: int = 0):
    return [a, b]


answer = VALUE

#% a sibling is an attribute
code = '''
import fused
LIMIT = 7
@fused.udf
def udf(a: int = 1):
    return a
@fused.udf
def other(b: int = 2):
    return b
def plain(c):
    return c * LIMIT
'''
loaded = fused.load(code)
answer = [loaded.LIMIT, loaded.plain(2), type(loaded.other).__name__]

#% seven runs deep
code = '''
import fused
@fused.udf
def udf(n: int = 7):
    return 0 if n == 0 else 1 + fused.run(udf, n=n - 1, engine="local")
'''
answer = fused.run(fused.load(code), engine="local")

#% code with a byte order mark, tabs and continued lines
with open("odd.py", "w", encoding="utf-8") as file:
    file.write("import fused\n@fused.udf(\n    name='named',\n    cache_max_age='1d',\n)\ndef udf(\n\ta: int = 1,\n\tb: str = 'ü',\n):\n\treturn [a,\n\t\tb]\n")
udf = fused.load("odd.py")
answer = [udf.name, udf.cache_max_age, udf.entrypoint, fused.run(udf, engine="local")]

#% the decorator by another import: VALUE
#! differs: the client finds the decorator by its spelling, ours by what was imported
#! ours: value == ["main", 1]
#: from fused import udf as deco\n@deco ; import fused as f\n@f.udf
code = "VALUE\ndef main(a: int = 1):\n    return a\n"
answer = attempt(lambda: [fused.load(code).entrypoint, fused.run(fused.load(code), engine="local")])

#% the decorator under another name: VALUE
#: import fused\nmake = fused.udf\n@make ; import fused\n@fused.udf()
code = "VALUE\ndef main(a: int = 1):\n    return a\n"
answer = attempt(lambda: [fused.load(code).entrypoint, fused.run(fused.load(code), engine="local")])

#% an asynchronous UDF of a text
#! differs: the client finds no asynchronous UDF in a text
#! ours: value == 8
code = '''
import asyncio
import fused
async def later(x):
    await asyncio.sleep(0)
    return x * 2
@fused.udf
async def udf(a: int = 4):
    return await later(a)
'''
made = fused.run(fused.load(code), engine="local")
try:
    made.send(None)
    made.send(None)
except StopIteration as stop:
    answer = stop.value

#% load_async
import asyncio

answer = asyncio.run(fused.load_async("import fused\n@fused.udf\ndef udf():\n    return 1\n")).name

#% run_async
import asyncio


@fused.udf
def udf(a: int):
    return a + 1


answer = asyncio.run(fused.run_async(udf, a="2", engine="local"))

#% what is loaded by position only
answer = fused.load(url_or_udf="x")

#% several runs at once
import asyncio


@fused.udf
def udf(a: int):
    return a * a


async def all_of_them():
    return await asyncio.gather(*[fused.run(udf, a=n, engine="local", sync=False) for n in range(4)])


answer = asyncio.run(all_of_them())

#% a time of VALUE
#: "03:04:05" ; "23:59" ; None
import datetime


@fused.udf
def udf(value: datetime.time):
    return value


answer = fused.run(udf, value=VALUE, engine="local")

#% a file path: VALUE
#: "folder/file.txt" ; "folder/deeper" ; "name"
import os

path = fused.file_path("VALUE_test".replace("VALUE_test", VALUE))
answer = [type(path).__name__, path.endswith(VALUE), os.path.isdir(path), os.path.isdir(os.path.dirname(path))]

#% map of a UDF
#! needs pandas
@fused.udf
def udf(a: int):
    return a + 1


pool = udf.map([1, 2], engine="local")
answer = [len(pool), pool.results()]

#% exceptions are where they are looked for
answer = [[base.__name__ for base in getattr(fused.types, name).__mro__] for name in ("UdfRuntimeError", "UdfSerializationError", "UdfTimeoutError")]

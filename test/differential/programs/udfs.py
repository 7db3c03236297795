#% what is read of VALUE
#: @fused.udf ; @fused.udf() ; @fused.udf(name="other") ; @fused.udf(cache_max_age="2h") ; @fused.udf(default_parameters={"a": 1}) ; @fused.udf(engine="local")
VALUE
def calculate(a: int = 2):
    # A comment.
    return a


answer = {name: getattr(calculate, name) for name in ("name", "entrypoint", "code", "parameters", "cache_max_age", "engine", "disk_size_gb", "headers", "metadata")}, calculate.type == "geopandas_v2"

#% loaded from text
code = '''import fused

FACTOR = 3


# Before.
@fused.udf(cache_max_age="1h")
def scale(a: int = 2):
    """Scales."""
    return a * FACTOR
'''
udf = fused.load(code)
answer = {name: getattr(udf, name) for name in ("name", "entrypoint", "code", "parameters", "cache_max_age", "engine")}, fused.run(udf, a="5", engine="local")

#% loaded from a file
code = '''
import fused
def helper(x):
    return x + 1
@fused.udf
def udf(a: int = 2):
    return helper(a)
'''
with open("my_file.py", "w") as file:
    file.write(code)
udf = fused.load("my_file.py")
answer = [udf.name, udf.entrypoint, udf.code, udf.parameters, fused.run(udf, engine="local"), udf.helper(3)]

#% a file without a UDF
with open("none.py", "w") as file:
    file.write("x = 1\n")
answer = fused.load("none.py")

#% a file with two UDFs
with open("two.py", "w") as file:
    file.write("import fused\n@fused.udf\ndef one(): return 1\n@fused.udf\ndef two(): return 2\n")
answer = fused.load("two.py")

#% a file with two UDFs, one called udf
with open("pair.py", "w") as file:
    file.write("import fused\n@fused.udf\ndef one(): return 1\n@fused.udf\ndef udf(): return fused.run(one, engine='local') + 1\n")
udf = fused.load("pair.py")
answer = [udf.name, udf.entrypoint, fused.run(udf, engine="local")]

#% a file that is not there
answer = fused.load("absent.py")

#% a text that is no Python
answer = fused.load("import fused\n@fused.udf\ndef udf(:\n    return 1\n")

#% written to a folder and loaded again
import ast
import json
import os


@fused.udf(default_parameters={"a": 5}, cache_max_age="1h")
def times(a: int = 2):
    return a * 10


times.to_directory("saved")
meta = json.load(open("saved/meta.json"))
meta["job_config"]["steps"][0]["udf"].pop("metadata", None)
again = fused.load("saved")
code = ast.unparse(ast.parse(open("saved/times.py").read()))
answer = [sorted(os.listdir("saved")), code, meta["job_config"]["name"], again.name, again.entrypoint, again.parameters, again.cache_max_age, fused.run(again, engine="local")]

#% a folder that is there already
import os


@fused.udf
def udf(a: int = 2):
    return a


os.mkdir("there")
answer = udf.to_directory("there")

#% written to a zip and loaded again
import zipfile


@fused.udf
def zipped(a: int = 2):
    return a + 1


zipped.to_file("saved.zip")
again = fused.load("saved.zip")
answer = [sorted(zipfile.ZipFile("saved.zip").namelist()), again.name, again.entrypoint, fused.run(again, engine="local")]

#% a folder with a header
import os

from fused.models import Header


@fused.udf(headers=[Header(module_name="kit", source_code="K = 4\n")])
def udf():
    import kit

    return kit.K


udf.to_directory("with_header")
again = fused.load("with_header")
answer = [sorted(os.listdir("with_header")), [[header.module_name, header.source_code] for header in again.headers], fused.run(again, engine="local")]

#% equal and unequal
@fused.udf
def one(a: int = 1):
    return a


answer = [one.name, type(one).__name__, callable(one), isinstance(one, fused.models.udf.Udf)]

#% what is unsaved has no VALUE
#: catalog_url ; get_schedule() ; create_access_token() ; delete_saved() ; invalidate_cache()
@fused.udf
def udf():
    return 1


answer = udf.VALUE

#% instance_type together with engine
#! differs: the same class; our messages say what was given and what to do
#! ours: error[0] == "ValueError" and "instance_type" in error[1]
@fused.udf(engine="remote", instance_type="small")
def udf():
    return 1

#% an engine that is none
@fused.udf(engine="nowhere")
def udf():
    return 1

#% a disk without an instance
#! differs: the same class; our messages say what was given and what to do
#! ours: error[0] == "ValueError" and "disk_size_gb" in error[1]
@fused.udf(disk_size_gb=10)
def udf():
    return 1

#% a UDF that never imports has no helpers
code = '''
import fused
def helper(x):
    return x + 1
@fused.udf
def udf():
    return 1
'''
fused.options.never_import = True
try:
    loaded = fused.load(code)
    answer = attempt(lambda: loaded.helper(1))
finally:
    fused.options.never_import = False

#% an attribute that is not there
@fused.udf
def udf():
    return 1


answer = udf.nothing_of_the_kind

#% its schema
@fused.udf
def udf(a: int, b: str = "x", c: float | None = None, d: list = [1], e: bool = False):
    return a


answer = udf.eval_schema()

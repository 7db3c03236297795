"""`inspect`: what a source declares, without running it."""

import pytest

FULL = '''# /// script
# requires-python = ">=3.12"
# dependencies = ["numpy", "pandas>=2"]
#
# [tool.fuselet.permissions]
# net = ["api.example.com"]
# secrets = { TOKEN = ["api.example.com"] }
# ///
import fused
import os.path, json as j
from urllib.request import urlopen
from . import sibling

@fused.udf
def other(): ...

@fused.udf(
    name="Hello", cache_max_age="12h", instance_type="small", disk_size_gb=10, region=REGION,
    default_parameters={"a": 1}, headers=["utils.py", "lib/geo.py"],
)
def udf(bounds: fused.types.Bounds, /, a: int | None = None, *rest, b: "list[int]" = [1,  2], **more):
    """Says hello."""
    import importlib, pandas as pd, utils
    importlib.import_module("scipy.stats")
    __import__("h3")
'''


def test_everything_is_read(inspect):
    assert inspect(FULL, headers={"utils.py": "import shapely, lib.geo", "lib/geo.py": "syntax error"}) == {
        "entrypoint": "udf",
        "parameters": [
            {"name": "bounds", "annotation": "fused.types.Bounds", "default": None, "kind": "positional"},
            {"name": "a", "annotation": "int | None", "default": "None", "kind": "positional"},
            {"name": "rest", "annotation": None, "default": None, "kind": "rest"},
            {"name": "b", "annotation": '"list[int]"', "default": "[1,  2]", "kind": "keyword"},
            {"name": "more", "annotation": None, "default": None, "kind": "rest"},
        ],
        "permissions": {"net": ["api.example.com"], "secrets": {"TOKEN": ["api.example.com"]}},
        "packages": ["numpy", "pandas>=2"],
        "headers": ["utils.py", "lib/geo.py"],
        "imports": ["fused", "h3", "importlib", "json", "os", "pandas", "scipy", "shapely", "urllib"],
        "udfs": ["other", "udf"],
        "metadata": {
            "name": "Hello", "cacheMaxAge": 43200, "instanceType": "small", "diskSizeGb": 10, "defaultParameters": {"a": 1},
            "requiresPython": ">=3.12",
        },
    }  # fmt: skip


def test_a_bare_udf_declares_nothing(inspect):
    found = inspect("@fused.udf\ndef hello(): pass")
    assert {key: found[key] for key in ("parameters", "permissions", "packages", "headers", "imports", "metadata")} == {
        "parameters": [], "permissions": {}, "packages": [], "headers": [], "imports": [], "metadata": {},
    }  # fmt: skip


@pytest.mark.parametrize(("annotation", "package"), [("Tile", "geopandas"), ("TileGDF", "geopandas"), ("ViewportGDF", "geopandas"), ("Bbox", "shapely")])
def test_a_place_that_needs_a_library_imports_it(inspect, annotation, package):
    assert package in inspect(f"import fused\n@fused.udf\ndef hello(a: fused.types.{annotation} = None): pass")["imports"]


BLOCKS = {
    "bad value": ("# dependencies = [numpy]", 4, "is no TOML: Invalid value"),
    "bad key": ("# x = 1\n# = 2", 5, "is no TOML: Invalid"),
    "cut off": ('# x = """a', 4, "is no TOML"),
    "twice": ("# x = 1\n# x = 2", 5, "is no TOML: Cannot overwrite a value"),
    "dependencies are a text": ('# dependencies = "numpy"', None, "dependencies must be a list of requirements: received 'numpy'"),
    "dependencies are numbers": ("# dependencies = [1]", None, "dependencies must be a list of requirements: received 1"),
    "permissions are a list": ("# [tool.fuselet]\n# permissions = []", None, "tool.fuselet.permissions must be a table"),
    "tool is a text": ('# tool = ""', None, "tool must be a table"),
    "python is a number": ("# requires-python = 3.12", None, "requires-python must be text: received 3.12"),
    "a date as a permission": ("# [tool.fuselet.permissions]\n# net = 2026-01-02", None, "no form for"),
    "nested too deep": ("# x = " + "[" * 50_000, 4, "nested too deep"),
}


@pytest.mark.parametrize(("block", "line", "message"), BLOCKS.values(), ids=BLOCKS.keys())
def test_a_bad_block_is_named_with_file_and_line(inspect, failure, block, line, message):
    error = failure(inspect, f"\n\n# /// script\n{block}\n# ///\n@fused.udf\ndef hello(): pass")
    assert (error.kind, error.file, error.line) == ("load", "hello.py", line)
    assert message in error.message


def test_a_block_without_an_end_is_named(inspect, failure):
    error = failure(inspect, "# /// script\n# dependencies = []\n\n@fused.udf\ndef hello(): pass")
    assert (error.kind, error.line) == ("load", 1)
    assert "has no end" in error.message


def test_two_blocks_are_refused(inspect, failure):
    block = "# /// script\n# x = 1\n# ///\n"
    assert failure(inspect, f"{block}\n{block}\n@fused.udf\ndef hello(): pass").line == 5


def test_a_block_of_another_kind_is_not_ours(inspect):
    assert inspect("# /// other\n# dependencies = [\n# ///\n@fused.udf\ndef hello(): pass")["packages"] == []


def test_the_last_end_of_the_comment_closes_the_block(inspect):
    code = '# /// script\n# dependencies = ["a"]\n# x = """\n# ///\n# """\n# ///\n@fused.udf\ndef hello(): pass'
    assert inspect(code)["packages"] == ["a"]


def test_a_bad_age_is_a_load_failure(inspect, failure):
    error = failure(inspect, "import fused\n@fused.udf(cache_max_age='1w')\ndef hello(): pass")
    assert (error.kind, error.line) == ("load", 2)
    assert "received '1w'" in error.message


def test_arguments_that_are_no_literals_are_left_out(inspect):
    assert inspect("import fused\n@fused.udf(name=f'{1}', headers=make(), cache_max_age=AGE)\ndef hello(): pass")["metadata"] == {}


@pytest.mark.parametrize("code", ["x = = 1", "def udf(): pass", "x = '\0'"])
def test_a_source_that_does_not_load_does_not_inspect(inspect, failure, code):
    assert failure(inspect, code).kind == "load"

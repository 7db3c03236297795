"""`prepare`: which source is a UDF, which function is its entrypoint, and what the messages say where none is."""

import sys

import pytest

SPELLINGS = {
    "module": "import fused\n@fused.udf\ndef hello(): return 1",
    "called": "import fused\n@fused.udf()\ndef hello(): return 1",
    "arguments": "import fused\n@fused.udf(name='Hi', cache_max_age='12h')\ndef hello(): return 1",
    "alias": "import fused as f\n@f.udf\ndef hello(): return 1",
    "function": "from fused import udf\n@udf\ndef hello(): return 1",
    "function alias": "from fused import udf as u\n@u(name='Hi')\ndef hello(): return 1",
    "star": "from fused import *\n@udf\ndef hello(): return 1",
    "no import": "@fused.udf\ndef hello(): return 1",
    "byte order mark": "\ufeffimport fused\n@fused.udf\ndef hello(): return 1",
    "under if": "import fused\nif True:\n    @fused.udf\n    def hello(): return 1",
    "under try": "try:\n    import fused\nexcept ImportError:\n    pass\nelse:\n    @fused.udf\n    def hello(): return 1",
    "below another decorator": "import fused\n@fused.udf\n@fused.cache\ndef hello(): return 1",
    "asynchronous": "import fused\n@fused.udf\nasync def hello(): return 1",
    "future annotations": "from __future__ import annotations\nimport fused\n@fused.udf\ndef hello(a: int = 1): return a",
    "carriage returns": "import fused\r\n@fused.udf\r\ndef hello():\r\n    return 1\r\n",
    "stray backslash": "import fused\n@fused.udf\ndef hello(): return len('\\d') - 1",
}


@pytest.mark.parametrize("code", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_every_spelling_of_the_decorator_is_found(run, code):
    assert run(code) == 1


TWO = """
    import fused
    @fused.udf
    def one(): return 1
    @fused.udf
    def {}(): return 2
"""


def test_of_several_udfs_the_one_called_udf_runs(run):
    assert run(TWO.format("udf")) == 2


def test_a_named_entrypoint_is_taken(run):
    assert run(TWO.format("two"), _entrypoint="one") == 1


def test_an_entrypoint_needs_no_decorator_when_it_is_named(run):
    assert run("def plain(): return 3", _entrypoint="plain") == 3


def test_several_udfs_without_a_main_one_are_named_with_their_lines(prepare, failure):
    error = failure(prepare, TWO.format("two"))
    assert (error.kind, error.type) == ("load", "UdfLoadError")
    assert "one (line 4), two (line 6)" in error.message


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        pytest.param("def udf(): pass", "Write it in the line before def udf", 1, id="no decorator"),
        pytest.param("x = 1\ndef a(): pass\ndef b(): pass", "Write it in the line before def b", 3, id="functions"),
        pytest.param("", "there is no UDF", None, id="empty"),
        pytest.param("class A:\n    @fused.udf\n    def a(self): pass", "there is no UDF", None, id="method"),
        pytest.param("import fused\n@fused.cache\ndef a(): pass", "no function has @fused.udf", 3, id="cache only"),
        pytest.param("import other\n@other.udf\ndef a(): pass", "no function has @fused.udf", 3, id="another library's udf"),
    ],
)
def test_a_source_without_a_udf_says_what_to_write(prepare, failure, code, message, line):
    error = failure(prepare, code)
    assert error.kind == "load"
    assert message in error.message
    assert error.line == line


def test_an_unknown_entrypoint_lists_the_functions(prepare, failure):
    assert "there is no function nope at module level (functions: one, two)" in failure(prepare, TWO.format("two"), entrypoint="nope").message


@pytest.mark.parametrize(
    ("code", "line"),
    [
        pytest.param("x = 1\ndef f(:\n    pass", 2, id="syntax"),
        pytest.param("def f():\n        x = 1\n\ty = 2", 3, id="tabs"),
        pytest.param("x = 1\ny = '\0'", 2, id="null byte"),
        pytest.param("x = 1\n\ny = '\ud800'", 3, id="surrogate"),
        pytest.param("x = 1\nreturn 2", 2, id="return outside"),
        pytest.param("def f():\n    x = 1\n  y = 2", 3, id="indentation"),
        pytest.param("x = (1,\n", 1, id="never closed"),
        pytest.param("x = 'abc\n", 1, id="unterminated text"),
        pytest.param("async def f():\n    pass\nawait f()", 3, id="await outside"),
        pytest.param("x = 1\nfrom __future__ import annotations", 2, id="late future"),
        pytest.param("def f(a, a): pass", 1, id="twice"),
    ],
)
def test_a_syntax_error_names_file_and_line_and_shows_it(prepare, failure, code, line):
    error = failure(prepare, f"{code}\n@fused.udf\ndef udf(): pass" if line > 1 else code)
    assert (error.kind, error.file, error.line) == ("load", "hello.py", line)
    assert error.message.startswith(f"hello.py, line {line}: ")


def test_a_syntax_error_shows_the_line(prepare, failure):
    error = failure(prepare, "import fused\nx = = 1\n")
    assert error.message == "hello.py, line 2: invalid syntax\n    x = = 1"
    assert error.value.startswith("SyntaxError: invalid syntax (")


@pytest.mark.skipif(sys.platform == "emscripten", reason="pytest's own frames leave the parser too little of a worker's stack")
def test_a_source_nested_too_deep_is_refused(prepare, failure):
    assert failure(prepare, f"x = {'(' * 500}1{')' * 500}\n").kind == "load"


def test_nothing_runs_while_preparing_and_inspecting(prepare, inspect, capsys):
    code = "print('ran')\n@fused.udf\ndef hello(): pass"
    prepare(code)
    inspect(code)
    assert capsys.readouterr().out == ""


def test_headers_are_importable_and_run_only_when_imported(run):
    code = """
        @fused.udf
        def hello():
            import lib.geo, utils
            return [utils.double(lib.geo.one), utils.__file__, "broken" in __import__("sys").modules]
    """
    headers = {"utils.py": "def double(x): return 2 * x", "lib/geo.py": "one = 1", "broken.py": "syntax error"}
    assert run(code, _headers=headers) == [2, "utils.py", False]


def test_headers_import_each_other(run):
    headers = {"a.py": "import b\nx = b.y + 1", "b.py": "y = 1", "p/__init__.py": "from . import q\nz = q.z", "p/q.py": "z = 3"}
    assert run("import a, p\n@fused.udf\ndef hello(): return a.x + p.z", _headers=headers) == 5


def test_headers_of_the_udf_before_are_gone(run, failure):
    run("import utils\n@fused.udf\ndef hello(): return 1", _headers={"utils.py": ""})
    error = failure(run, "import utils\n@fused.udf\ndef hello(): return 1")
    assert (error.type, error.value) == ("ModuleNotFoundError", "utils")
    assert sum(type(finder).__name__ == "HeaderFinder" for finder in sys.meta_path) == 1


def test_a_mistake_in_a_header_is_the_udfs_own_error(run, failure):
    error = failure(run, "import utils\n@fused.udf\ndef hello(): return 1", _headers={"utils.py": "x = 1\ny = = 2"})
    assert (error.kind, error.type, error.line) == ("udf", "SyntaxError", 1)
    assert 'File "<hello/utils.py>", line 2' in error.traceback


def test_an_error_in_a_header_shows_its_lines(run, failure):
    error = failure(run, "import utils\n@fused.udf\ndef hello():\n    return utils.f()", _headers={"utils.py": "def f():\n    return 1 / 0"})
    assert 'File "<hello/utils.py>", line 2, in f\n    return 1 / 0' in error.traceback
    assert (error.file, error.line) == ("hello.py", 4)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"udf": 1}', "[" * 100_000], ids=["empty", "null", "list", "no udf", "number", "deep"])
def test_a_broken_request_is_an_internal_failure(text):
    from conftest import Failure, value_of
    from fused import _guest

    for function in (_guest.prepare, _guest.inspect):
        with pytest.raises(Failure) as caught:
            value_of(function(text))
        assert caught.value.kind == "internal"
    with pytest.raises(Failure):
        value_of(_guest.run("{}", []))

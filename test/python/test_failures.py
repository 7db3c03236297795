"""What a run reports when it goes wrong: kind, class, message, line, and a traceback of the user's frames only."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CASES = {
    "exception": ("raise ValueError('boom')", "udf", "ValueError", "boom"),
    "no message": ("raise ValueError", "udf", "ValueError", ""),
    "own class": ("class Mine(Exception): pass\n    raise Mine('x')", "udf", "Mine", "x"),
    "key error": ("{}['a']", "udf", "KeyError", "'a'"),
    "recursion": ("def f(): return f()\n    f()", "udf", "RecursionError", None),
    "interrupt": ("raise KeyboardInterrupt", "udf", "KeyboardInterrupt", ""),
    "generator exit": ("raise GeneratorExit", "udf", "GeneratorExit", ""),
    "base exception": ("raise BaseException('x')", "udf", "BaseException", "x"),
    "exit": ("import sys; sys.exit()", "exit", "SystemExit", "The UDF called exit"),
    "exit code": ("exit(3)", "exit", "SystemExit", "The UDF called exit (3)"),
    "exit text": ("raise SystemExit('bye')", "exit", "SystemExit", "The UDF called exit (bye)"),
    "memory": ("raise MemoryError", "memory", "MemoryError", ""),
    "module": ("import nonesuch.part", "udf", "ModuleNotFoundError", "No module named 'nonesuch'"),
    "surrogate": ("raise ValueError('\\ud800')", "udf", "ValueError", "\\ud800"),
    "group": ("raise ExceptionGroup('two', [ValueError('a'), TypeError('b')])", "udf", "ExceptionGroup", "two (2 sub-exceptions)"),
}


@pytest.mark.parametrize(("body", "kind", "type_", "message"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("form", ["def", "async def"])
def test_a_failure_has_kind_class_and_message(run, failure, form, body, kind, type_, message):
    error = failure(run, f"@fused.udf\n{form} hello():\n    {body}\n")
    assert (error.kind, error.type) == (kind, type_)
    assert message is None or error.message == message
    assert error.file == "hello.py"
    assert error.line in (3, 4)


def test_the_module_that_is_missing_is_named(run, failure):
    assert failure(run, "import nonesuch.part\n@fused.udf\ndef hello(): pass").value == "nonesuch"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        ("PermissionDeniedError('no', 'net', 'a.com')", ("permission", "net", "a.com")),
        ("PermissionDeniedError('no')", ("udf", None, None)),
        ("ExceptionGroup('g', [ValueError(), ExceptionGroup('h', [PermissionDeniedError('no', 'net', 'a.com')])])", ("permission", "net", "a.com")),
        ("ExceptionGroup('g', [ValueError()])", ("udf", None, None)),
        ("PermissionError('no')", ("udf", None, None)),
        ("type('Mine', (PermissionDeniedError,), {'permission': 1})('no', 'net', 3)", ("permission", "net", None)),
    ],
)
def test_a_denial_that_nobody_catches_is_a_denial(run, failure, raised, expected):
    code = f"from fused._exceptions import PermissionDeniedError\n@fused.udf\ndef hello():\n    raise {raised}"
    error = failure(run, code)
    assert (error.kind, error.subject, error.value) == expected


def test_the_traceback_starts_in_the_users_file(run, failure):
    error = failure(run, """
        def inner(x):
            return 1 / x

        @fused.udf
        def hello():
            return inner(0)
    """)
    lines = [line for line in error.traceback.splitlines() if "^" not in line]
    assert lines == [
        "Traceback (most recent call last):",
        '  File "<udf hello>", line 7, in hello',
        "    return inner(0)",
        '  File "<udf hello>", line 3, in inner',
        "    return 1 / x",
        "ZeroDivisionError: division by zero",
    ]
    assert error.line == 3


CHAINS = {
    "cause": ("raise KeyError('b') from error", "The above exception was the direct cause"),
    "context": ("raise KeyError('b')", "During handling of the above exception"),
}


@pytest.mark.parametrize(("statement", "sentence"), CHAINS.values(), ids=CHAINS.keys())
def test_the_chain_is_kept_with_its_lines(run, failure, statement, sentence):
    error = failure(run, f"@fused.udf\ndef hello():\n    try:\n        int('x')\n    except ValueError as error:\n        {statement}")
    assert sentence in error.traceback
    assert "        int('x')".strip() in error.traceback
    assert statement in error.traceback
    assert "_guest" not in error.traceback


def test_our_frames_are_nowhere_not_even_in_groups_and_nested_runs(run, failure):
    error = failure(run, """
        import fused
        @fused.udf
        def other():
            raise ValueError("inner")
        @fused.udf
        def udf():
            errors = []
            for _ in range(2):
                try:
                    fused.run(other)
                except Exception as e:
                    errors.append(e)
            raise ExceptionGroup("both", errors)
    """)
    assert "fused/_" not in error.traceback
    assert error.traceback.count("fused.run(other)") == 2


def test_only_the_users_frames_stay_when_our_code_raises(run, failure):
    error = failure(run, "import fused\n@fused.udf\ndef hello():\n    fused.run(None)")
    assert (error.type, error.message, error.line) == ("ValueError", "No UDF specified", 4)
    assert "_run.py" not in error.traceback


def test_lines_show_even_after_the_udf_cleared_the_cache(run, failure):
    assert "1 / 0  # here" in failure(run, "import linecache\n@fused.udf\ndef hello():\n    linecache.clearcache()\n    1 / 0  # here").traceback


def test_lines_show_in_tracebacks_that_the_udf_prints(run):
    assert "int('x')" in run("import traceback\n@fused.udf\ndef hello():\n  try:\n    int('x')\n  except ValueError:\n    return traceback.format_exc()")


EVIL = {
    "str raises": "def __str__(self): raise ValueError('no')",
    "str exits": "def __str__(self): raise SystemExit",
    "str is no text": "def __str__(self): return 1",
    "repr raises": "def __repr__(self): raise ValueError('no')",
    "str is a lie": "class S(str):\n      def __len__(self): return -1\n    def __str__(self): return self.S('x')",
    "class lies": "__class__ = int",
    "cause loops": "def __init__(self): self.__cause__ = self",
    "attribute raises": "def __getattribute__(self, name): raise ValueError(name)",
}


@pytest.mark.parametrize("member", EVIL.values(), ids=EVIL.keys())
def test_an_exception_that_fights_back_is_still_reported(run, failure, member):
    error = failure(run, f"class Evil(Exception):\n    {member}\n@fused.udf\ndef hello():\n    raise Evil()")
    assert (error.kind, error.type) == ("udf", "Evil")


def test_a_metaclass_cannot_rename_an_exception(run, failure):
    code = "class M(type):\n    @property\n    def __name__(cls): return 1 / 0\nclass Evil(Exception, metaclass=M): pass\n@fused.udf\ndef hello(): raise Evil('x')"
    assert failure(run, code).type == "Evil"


def test_a_huge_message_is_cut(run, failure):
    error = failure(run, "@fused.udf\ndef hello(): raise ValueError('x' * 10_000_000)")
    assert len(error.message) < 110_000
    assert "characters left out" in error.message
    assert len(error.traceback) < 210_000


def test_a_long_chain_is_reported(run, failure):
    error = failure(run, """
        @fused.udf
        def hello():
            last = None
            for i in range(20_000):
                error = ValueError(i)
                error.__context__ = last
                last = error
            raise last
    """)
    assert error.message == "19999"
    assert error.traceback.count("ValueError: ") == 101


def test_a_real_memory_error_is_of_kind_memory(run, failure):
    assert failure(run, "@fused.udf\ndef hello(): return [0] * __import__('sys').maxsize").kind == "memory"


def test_the_module_level_may_fail_too(run, failure):
    error = failure(run, "x = 1\n1 / 0\n@fused.udf\ndef hello(): pass")
    assert (error.kind, error.type, error.line) == ("udf", "ZeroDivisionError", 2)
    assert 'line 2, in <module>' in error.traceback


def test_a_rebound_entrypoint_is_a_load_failure(run, failure):
    assert failure(run, "@fused.udf\ndef hello(): pass\nhello = 3").kind == "load"


BREAKS = {
    "len": "builtins.len = None",
    "isinstance": "builtins.isinstance = lambda *a: 1 / 0",
    "all": "[setattr(builtins, n, None) for n in dir(builtins) if n.islower() and n[0] != '_' and n not in ('setattr', 'dir')]",
    "json": "import json; json.dumps = json.loads = None; json.JSONEncoder.encode = json.encoder.c_make_encoder = None",
    "stdout none": "import sys; sys.stdout = None",
    "stdout closed": "import io, sys; sys.stdout = io.StringIO(); sys.stdout.close()",
    "recursion limit": "import sys; sys.setrecursionlimit(60)",
    "modules": "import sys; sys.modules.clear()",
    "traceback": "import traceback; traceback.TracebackException = None",
}


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")
@pytest.mark.parametrize("statement", BREAKS.values(), ids=BREAKS.keys())
@pytest.mark.parametrize(("last", "expected"), [("return {'a': [1, (2, 3)], 'b': 1.5}", None), ("raise ValueError('x')", "ValueError")], ids=["value", "error"])
def test_a_udf_that_breaks_python_still_gets_its_reply(statement, last, expected):
    """In an interpreter of its own: nothing puts this one right again."""
    code = f"import builtins\n@fused.udf\ndef hello():\n    {statement}\n    {last}\n"
    script = f"""
import json, os, sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "sdk/python")!r})
from fused import _guest
write, encode = os.write, str.encode
udf = {{"name": "hello", "code": {code!r}, "file": "hello.py", "headers": [], "entrypoint": None}}
_guest.prepare(json.dumps({{"udf": udf}}))
reply = _guest.run(json.dumps({{"parameters": "{{}}", "tile": None}}), [])
write(1, encode(reply))
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    reply = json.loads(done.stdout)
    if expected is None:
        assert reply == {"ok": True, "value": {"a": [1, {"$": "tuple", "v": [2, 3]}], "b": 1.5}}
    else:
        assert reply["error"]["type"] == expected

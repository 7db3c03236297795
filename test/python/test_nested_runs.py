"""`fused.run` of a UDF object, and calling one: in the same interpreter, alone."""

import pytest

import fused

SIBLINGS = """
import fused
factor = 10
@fused.udf
def scale(x: int, by: int = 2):
    return x * by * factor
@fused.udf
def udf(how):
    return eval(how)
"""

CALLS = {
    "run": ("fused.run(scale, x='1')", 20),
    "call": ("scale(x=1)", 20),
    "positional": ("scale(1, '3')", 30),
    "parameters win": ("fused.run(scale, x=5, parameters={'x': 1})", 20),
    "local": ("fused.run(scale, x=1, engine='local', cache_max_age='1h', max_retry=3)", 20),
    "options of a call": ("scale(1, engine='local', cache=False)", 20),
}


@pytest.mark.parametrize(("call", "expected"), CALLS.values(), ids=CALLS.keys())
def test_a_sibling_runs_with_the_whole_source(run, call, expected):
    assert run(SIBLINGS, how=call) == expected


WRONG = {
    "none": ("fused.run(None)", "ValueError", "No UDF specified"),
    "nothing": ("fused.run()", "ValueError", "No UDF specified"),
    "number": ("fused.run(3)", "TypeError", "It should be a string or Udf object."),
    "function": ("fused.run(print)", "TypeError", "It should be a string or Udf object."),
    "unknown parameter": ("fused.run(scale, x=1, z=2, q=1)", "TypeError", "scale() got unexpected keyword argument 'z'"),
    "missing parameter": ("fused.run(scale)", "UdfRuntimeError", "TypeError: scale() missing 1 required positional argument: 'x'"),
    "bad value": ("fused.run(scale, x='a')", "UdfRuntimeError", "ValueError: invalid literal for int() with base 10: 'a'"),
    "engine": ("fused.run(scale, x=1, engine='remote')", "ServerNotConfiguredError", "set fused.options.base_url"),
    "cache": ("fused.run(scale, x=1, cache=False, cache_max_age='1h')", "ValueError", "both `cache_max_age` and `cache=False`"),
    "age": ("fused.run(scale, x=1, cache_max_age='soon')", "ValueError", "Cannot read cache_max_age"),
    "type": ("fused.run(scale, x=1, type='image')", "ValueError", "must be 'tile' or 'file'"),
    "tile without z": ("fused.run(scale, x=1, y=1, type='tile')", "ValueError", "You must specify x, y, and z."),
    "too many": ("scale(1, 2, 3)", "TypeError", "UDF scale has 2 parameters, but got 3 positional arguments"),
    "twice": ("scale(1, x=2)", "TypeError", "UDF scale got multiple values for argument x"),
}


@pytest.mark.parametrize(("call", "type_", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_call_is_refused(run, failure, call, type_, message):
    error = failure(run, SIBLINGS, how=call)
    assert (error.kind, error.type) == ("udf", type_)
    assert message in error.message


def test_a_failure_inside_is_one_class_and_its_traceback_goes_to_stderr(run, capsys):
    code = """
        import fused
        @fused.udf
        def bad():
            raise ValueError("boom")
        @fused.udf
        def udf():
            try:
                fused.run(bad)
            except fused.types.UdfRuntimeError as error:
                return [str(error), error.child_exception_class, error.__cause__, isinstance(error, RuntimeError)]
    """
    assert run(code) == ["ValueError: boom", "ValueError", None, True]
    shown = capsys.readouterr().err
    assert shown.startswith('Traceback (most recent call last):\n  File "<udf hello>", line 5, in bad\n    raise ValueError("boom")')


def test_a_sibling_has_a_namespace_of_its_own(run):
    code = """
        import fused, sys
        seen = []
        @fused.udf
        def other():
            seen.append(1)
            return len(seen)
        @fused.udf
        def udf():
            return [other(), other(), len(seen), sys.modules[__name__].seen is seen]
    """
    assert run(code) == [1, 1, 0, True]


def test_a_udf_inside_a_udf_sees_only_its_own_source(run, failure):
    code = """
        import fused, datetime
        factor = 2
        @fused.udf
        def udf(how):
            @fused.udf
            def inner(day: datetime.date, x: int = 1):
                return [day.year, {body}]
            return inner(day="2026-01-02", x="3")
    """
    assert run(code.format(body="x"), how="") == [2026, 3]
    error = failure(run, code.format(body="factor"), how="")
    assert (error.type, error.message) == ("UdfRuntimeError", "NameError: name 'factor' is not defined")


def test_any_object_comes_back(run):
    assert run("""
        import fused
        @fused.udf
        def numbers(): return (n for n in range(3))
        @fused.udf
        def udf(): return list(numbers())
    """) == [0, 1, 2]


def test_an_asynchronous_udf_gives_its_coroutine(run):
    assert run("""
        import fused
        @fused.udf
        async def later(x: int): return x + 1
        @fused.udf
        async def udf(): return [await fused.run(later, x="1"), await fused.run(later, x="2", sync=False)]
    """) == [2, 3]


def test_sync_false_gives_a_coroutine_for_any_udf(run):
    assert run(SIBLINGS.replace("def udf(how):\n    return eval(how)", "async def udf(): return await fused.run(scale, x=1, sync=False)")) == 20


def test_file_runs_pass_x_y_z_as_parameters(run):
    code = "import fused\n@fused.udf\ndef other(x: int, y: int, z: int): return [x, y, z]\n@fused.udf\ndef udf(): return fused.run(other, x=1, y=2, z='3', type='file')"
    assert run(code) == [1, 2, 3]


def test_x_y_and_z_make_a_tile_run(run):
    code = "import fused\n@fused.udf\ndef other(bounds: fused.types.Bounds): return bounds\n@fused.udf\ndef udf(): return fused.run(other, x=0, y=0, z=0)"
    assert run(code)[0::2] == [-180.0, 180.0]


def test_a_header_may_hold_a_udf(run):
    headers = {"other.py": "import fused\nbase = 5\n@fused.udf\ndef add(x: int): return base + x"}
    assert run("import fused, other\n@fused.udf\ndef udf(): return other.add('1')", _headers=headers) == 6


def test_seven_levels_deep(run):
    code = "import fused\n@fused.udf\ndef udf(n: int): return 0 if n == 0 else 1 + fused.run(udf, n=n - 1)"
    assert run(code, n=7) == 7


@fused.udf(name="Outside", cache_max_age="1d", default_parameters={"x": "4"})
def outside(x: int, y: int = 2):
    """Adds."""
    return x + y


def test_a_udf_of_any_module_can_be_called():
    assert outside() == 6
    assert outside(1) == 3
    assert fused.run(outside, y=10) == 14


def test_the_object_says_what_it_is():
    assert (outside.name, outside.entrypoint, outside.cache_max_age, outside.parameters) == ("Outside", "outside", 86400, {"x": "4"})
    assert outside.__doc__ == "Adds."
    assert "def outside(x: int" in outside.code
    assert repr(outside).startswith("Udf(\n  id=None,\n  name='Outside',\n")
    assert not hasattr(outside, "instance_type")


DECORATOR = {
    "engine twice": ({"engine": "small", "instance_type": "small"}, ValueError, "engine together with instance_type"),
    "disk": ({"disk_size_gb": 10}, ValueError, "disk_size_gb"),
    "age": ({"cache_max_age": "1w"}, ValueError, "cache_max_age"),
}


@pytest.mark.parametrize(("options", "error", "message"), DECORATOR.values(), ids=DECORATOR.keys())
def test_the_decorator_refuses_impossible_options(options, error, message):
    with pytest.raises(error, match=message):
        fused.udf(**options)(lambda: 1)


def test_the_decorator_wants_a_function():
    with pytest.raises(TypeError, match="it must be a function: received int"):
        fused.udf(3)


def test_an_instance_type_is_the_engine():
    with pytest.warns(DeprecationWarning, match="old name of engine"):
        assert fused.udf(instance_type="small", disk_size_gb=5)(lambda: 1).engine == "small"

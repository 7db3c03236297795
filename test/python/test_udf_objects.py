"""UDF objects: their fields, what they print, how they are changed, saved, and read; headers. Facts were measured with the published client."""

import asyncio
import copy
import json
import os
import pickle
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from conftest import finish

import fused
from fused._headers import install_headers
from fused.models.udf import Header, Udf

TEXT = 'import fused\nX = 5\ndef helper(a):\n    return a * X\n@fused.udf\ndef main(a: int = 1, b: str = "x"):\n    return helper(a)\n'


@fused.udf(cache_max_age="12h", default_parameters={"b": "given"})
def plain(a: int = 1, b: str = "x"):
    """Doc."""
    # a comment
    return [a, b]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, which is the current one. No isolate's files are around."""
    monkeypatch.chdir(tmp_path)
    install_headers("none", [])
    return tmp_path


def test_repr_is_many_lines_with_id_name_collection_name_description_and_code():
    lines = repr(plain).splitlines()
    assert [line.split("=")[0].strip(" ),") for line in lines] == ["Udf(", "id", "name", "collection_name", "description", "code", ""]
    assert repr(plain).startswith("Udf(\n  id=None,\n  name='plain',\n  collection_name=None,\n  description=None,\n  code='@fused.udf(")
    assert str(plain) == repr(plain)


def test_instance_type_is_stored_as_engine_and_reading_it_is_an_attribute_error():
    with pytest.warns(DeprecationWarning, match="instance_type is the old name of engine"):
        made = fused.udf(instance_type="small")(lambda: 1)
    assert made.engine == "small"
    with pytest.raises(AttributeError, match="'Udf' object has no attribute 'instance_type'"):
        made.instance_type


def test_engine_and_instance_type_together_are_a_value_error():
    with pytest.raises(ValueError, match="engine together with instance_type"):
        fused.udf(engine="small", instance_type="small")


@pytest.mark.parametrize("engine", [None, "local", "remote", "realtime"])
def test_disk_size_gb_without_a_batch_type_is_a_value_error(engine):
    with pytest.raises(ValueError, match="disk_size_gb"):
        fused.udf(engine=engine, disk_size_gb=5)
    assert fused.udf(engine="small", disk_size_gb=5)(lambda: 1).disk_size_gb == 5


def test_an_engine_that_is_none_is_a_value_error():
    with pytest.raises(ValueError, match="Invalid engine specified. Must be 'local', 'remote', 'realtime', or one of"):
        fused.udf(engine="huge")
    assert fused.udf(engine="m5.large", region="us-west-2")(lambda: 1).region == "us-west-2"


def test_code_keeps_the_decorator_with_its_arguments_and_comments():
    assert plain.code == (
        '@fused.udf(cache_max_age="12h", default_parameters={"b": "given"})\n'
        'def plain(a: int = 1, b: str = "x"):\n    """Doc."""\n    # a comment\n    return [a, b]'
    )


def test_headers_remove_all_arguments_of_the_decorator_but_cache_max_age(folder):
    """The published client loses the comments, too, because it writes the code anew; ours keeps them."""
    (folder / "beside.py").write_text("one = 1\n")

    @fused.udf(headers=["beside.py"], cache_max_age="1h", name="N", default_parameters={"a": 2})
    def inner(a=1):
        # stays
        import beside

        return beside.one + a

    assert inner.code.startswith("@fused.udf(cache_max_age='1h')\ndef inner(a=1):\n    # stays\n")
    assert (inner.name, inner.parameters, inner.original_headers) == ("N", {"a": 2}, "['beside.py']")
    assert fused.run(inner, engine="local") == 3


def test_cache_max_age_is_held_in_seconds():
    assert (plain.cache_max_age, fused.udf(cache_max_age=0)(lambda: 1).cache_max_age) == (43200, 0)


def test_default_parameters_go_to_parameters_and_signature_defaults_do_not():
    assert plain.parameters == {"b": "given"}
    assert fused.run(plain, engine="local") == [1, "given"]
    assert fused.run(plain, engine="local", b="own") == [1, "own"]


def test_headers_are_read_at_decoration_into_header_objects(folder):
    (folder / "lib").mkdir()
    (folder / "lib/geo.py").write_text("two = 2\n")
    inline = Header(module_name="inline", source_code="three = 3")
    made = fused.udf(headers=["lib/geo.py", inline])(lambda: 1)
    assert made.headers == [Header(module_name="geo", source_code="two = 2\n", source_file="lib/geo.py"), inline]
    (folder / "lib/geo.py").unlink()
    assert made.headers[0].code() == "two = 2\n"


def test_a_header_that_is_missing_is_a_file_not_found_error_at_once(folder):
    with pytest.raises(FileNotFoundError, match="nope.py"):
        fused.udf(headers=["nope.py"])(lambda: 1)


@pytest.mark.parametrize("headers", ["helper.py", [3], 3])
def test_headers_that_are_no_list_of_paths_are_a_type_error(headers):
    with pytest.raises(TypeError, match="header"):
        fused.udf(headers=headers)(lambda: 1)


def test_headers_are_modules_in_the_run_and_leave_nothing_behind():
    @fused.udf(headers=[Header(module_name="a_header", source_code="import another_header\nvalue = another_header.value"),
                        Header(module_name="another_header", source_code="value = 7")])  # fmt: skip
    def reads():
        import a_header

        return a_header.value

    before = list(sys.meta_path)
    assert reads(engine="local") == 7
    assert sys.meta_path == before
    assert "a_header" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        import a_header  # noqa: F401


def test_headers_stay_importable_while_an_asynchronous_udf_waits():
    code = "import asyncio, fused\n@fused.udf\nasync def udf():\n    await asyncio.sleep(0)\n    import awaited_header\n    return awaited_header.value\n"
    udf = Udf(code=code, entrypoint="udf", headers=[Header(module_name="awaited_header", source_code="value = 3")])
    assert finish(fused.run_async(udf, engine="local")) == 3


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no threads")
def test_runs_with_headers_in_threads_leave_nothing_behind():
    code = "import fused, time\n@fused.udf\ndef udf():\n    import threaded_header\n    time.sleep(0.001)\n    return threaded_header.value\n"
    udf = Udf(code=code, entrypoint="udf", headers=[Header(module_name="threaded_header", source_code="value = 3")])
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: udf.run_local().data, range(100))) == {3}
    assert "threaded_header" not in sys.modules


def test_two_udfs_may_have_different_headers_of_the_same_name():
    def made(number):
        return fused.load("import fused\n@fused.udf\ndef udf():\n    import beside\n    return beside.number\n").model_copy(
            update={"headers": [Header(module_name="beside", source_code=f"number = {number}")]}
        )

    assert [fused.run(made(number), engine="local") for number in (1, 2)] == [1, 2]


def test_utils_is_the_header_of_that_name():
    made = Udf(code=TEXT, entrypoint="main", headers=[Header(module_name="utils", source_code="x = 1")])
    assert made.utils.x == 1
    with pytest.raises(ValueError, match="UDF does not have a utils module"):
        plain.utils


def test_header_writes_its_code(folder):
    header = Header(module_name="mod", source_code="x = 1\n", source_file="here.py")
    header.write_code()
    header.write_to_disk(".")
    header.write_to_disk("named.txt")
    assert [(folder / name).read_text() for name in ("here.py", "mod.py", "named.txt")] == ["x = 1\n"] * 3
    assert Header(module_name="mod", source_file="here.py").code() == "x = 1\n"
    with pytest.raises(ValueError, match="neither source_code nor source_file"):
        Header(module_name="mod").code()
    with pytest.raises(ValueError, match="no source_file"):
        Header(module_name="mod", source_code="").write_code()
    with pytest.raises(ValueError, match="is no name of a file"):
        Header(module_name="../out", source_code="").write_to_disk(".")


def test_set_parameters_copies_and_merges():
    first = plain.set_parameters({"a": 3})
    assert (first.parameters, plain.parameters) == ({"b": "given", "a": 3}, {"b": "given"})
    assert fused.run(first, engine="local") == [3, "given"]
    with pytest.raises(TypeError):
        plain.set_parameters(None)


def test_replace_parameters_replaces_and_inplace_changes_self():
    made = plain.set_parameters({"a": 3}, replace_parameters=True)
    assert made.parameters == {"a": 3}
    assert made.set_parameters({"b": "y"}, inplace=True) is made
    assert made.parameters == {"a": 3, "b": "y"}


def test_a_call_takes_positional_and_keyword_arguments_and_options():
    assert plain(2, "z", engine="local", cache=False) == [2, "z"]
    assert plain(2, b="z", engine="local", cache_max_age="1h") == [2, "z"]
    with pytest.raises(TypeError, match="UDF plain has 2 parameters, but got 3 positional arguments"):
        plain(1, 2, 3, engine="local")
    with pytest.raises(TypeError, match="UDF plain got multiple values for argument a"):
        plain(1, a=2, engine="local")


def test_a_loaded_udf_takes_positional_arguments_too():
    assert fused.load(TEXT)(4, engine="local") == 20


def test_run_local_ignores_keywords_that_the_udf_does_not_declare_and_never_raises():
    result = plain.run_local(a="4", other=1)
    assert (result.data, result.has_exception) == ([4, "given"], False)
    assert result.udf is not plain
    assert plain.run_local(inplace=True, validate_imports=True).udf is plain
    failed = fused.load("import fused\n@fused.udf\ndef udf():\n    raise ValueError('boom')\n").run_local()
    assert (failed.has_exception, failed.exception_class) == (True, "ValueError")


def test_map_runs_each_item():
    assert list(plain.map([1, 2], engine="local").results()) == [[1, "given"], [2, "given"]]
    assert plain.map([{"a": 1, "b": "q"}], engine="local").results() == [[1, "q"]]
    assert plain.map([5, 6], engine="local", debug_mode=True) == [5, "given"]
    with pytest.raises(ValueError, match="arg_list"):
        plain.map([], engine="local")


def test_map_async_gives_a_pool():
    async def both():
        pool = await plain.map_async([1, 2], engine="local")
        return await pool.results_async() if hasattr(pool, "results_async") else pool.results()

    pytest.importorskip("nest_asyncio")
    assert asyncio.run(both()) == [[1, "given"], [2, "given"]]


def test_module_globals_are_attributes_of_a_loaded_udf(capsys):
    udf = fused.load(TEXT + "print('ran')\nname = 'hidden'\n_private = 1\n")
    assert capsys.readouterr().out == ""
    assert (udf.helper(2), udf.X, udf._private, udf.name) == (10, 5, 1, "main")
    assert capsys.readouterr().out == "ran\n"
    with pytest.raises(AttributeError, match="'Udf' object has no attribute 'nothing'"):
        udf.nothing


def test_a_sibling_of_a_loaded_udf_is_a_plain_function():
    udf = fused.load("import fused\n@fused.udf\ndef one(a=1): return [a]\n@fused.udf\ndef udf(): return one()\n")
    assert type(udf.one).__name__ == "function"
    assert udf.one(2) == [2]


def test_never_import_forbids_attributes(monkeypatch):
    before = fused.load(TEXT)
    monkeypatch.setattr(fused.options, "never_import", True)
    forbidden = fused.load(TEXT)
    # What counts is when it was loaded.
    assert before.X
    monkeypatch.undo()
    with pytest.raises(AttributeError, match="Accessing attributes on this UDF was disabled when it was loaded"):
        forbidden.X
    with pytest.raises(AttributeError, match="was disabled"):
        fused.load(TEXT, import_globals=False).X


def test_a_module_that_raises_makes_attributes_fail_and_eval_schema_raise():
    udf = fused.load("import fused\n1 / 0\n@fused.udf\ndef udf(): return 1\n")
    with pytest.raises(AttributeError, match="UDF's globals failed to import: division by zero"):
        udf.anything
    with pytest.raises(ZeroDivisionError):
        udf.eval_schema()


def test_eval_schema_gives_a_copy_or_this_object():
    udf = fused.load(TEXT)
    assert udf.eval_schema() == udf
    assert udf.eval_schema() is not udf
    assert udf.eval_schema(inplace=True) is udf


def test_notebooks_asking_how_to_show_it_run_nothing(capsys):
    udf = fused.load("import fused\nprint('ran')\n@fused.udf\ndef udf(): return 1\n")
    assert not hasattr(udf, "_repr_png_")
    assert not hasattr(udf, "_ipython_display_")
    assert not hasattr(udf, "__array__")
    assert capsys.readouterr().out == ""


def test_unknown_fields_cannot_be_set_and_missing_ones_are_named():
    with pytest.raises(ValueError, match='"Udf" object has no field "foo"'):
        plain.model_copy().foo = 1
    with pytest.raises(ValueError, match="2 validation errors for Udf\ncode\n  Field required\nentrypoint\n"):
        Udf()
    with pytest.raises(ValueError, match="cache_max_age"):
        Udf(code="", entrypoint="f", cache_max_age="soon")


def test_new_code_is_what_runs():
    udf = plain.set_parameters({}, replace_parameters=True)
    udf.code = "import fused\n@fused.udf\ndef plain(a=1):\n    return -a"
    assert (udf(a=3, engine="local"), plain(a=3, engine="local")) == (-3, [3, "given"])


def test_copies_and_pickles_are_equal_and_run():
    for made in (plain.model_copy(), copy.deepcopy(plain), pickle.loads(pickle.dumps(plain)), Udf.model_validate(plain.model_dump()),
                 Udf.model_validate_json(plain.model_dump_json())):  # fmt: skip
        assert made == plain
        assert made.headers is not plain.headers
        assert fused.run(made, engine="local", a=2) == [2, "given"]
    with pytest.raises(TypeError, match="unhashable"):
        hash(plain)


def test_imports_for_annotations_are_added_to_the_code():
    pandas = pytest.importorskip("pandas")
    import datetime as dt
    from uuid import UUID

    assert pandas and dt and UUID
    names = {"pd": pandas, "dt": dt, "UUID": UUID, "fused": fused}
    code = "@fused.udf\ndef f(table: pd.DataFrame = None, day: dt.date = None, id: UUID | None = None) -> pd.DataFrame:\n    return str(day.year)\n"
    import linecache

    linecache.cache["<annotated>"] = (len(code), None, code.splitlines(True), "<annotated>")
    exec(compile(code, "<annotated>", "exec", dont_inherit=True), names)
    udf = names["f"]
    assert udf.code == f"import pandas as pd\nimport datetime as dt\nfrom uuid import UUID\n\n{code.rstrip()}"
    assert Udf.model_validate(udf.model_dump())(day="2026-01-02", engine="local") == "2026"


def test_a_decorator_of_another_spelling_is_written_so_that_the_code_stands_alone():
    from fused import udf as spelled

    @spelled(name="Alias")
    def inner(a: int = 1):
        return a

    assert inner.code == '@fused.udf(name="Alias")\ndef inner(a: int = 1):\n    return a'


def test_a_text_that_begins_further_left_than_the_function_survives():
    @fused.udf
    def inner():
        return """first
second"""

    assert fused.run(Udf.model_validate(inner.model_dump()), engine="local") == "first\nsecond"


def test_a_udf_inside_a_udf_sees_only_its_own_source():
    outer = fused.load("import fused\nfactor = 2\n@fused.udf\ndef udf(how: str = 'x'):\n    @fused.udf\n    def inner(x: int = 1, how='x'):\n"
                       "        return eval(how)\n    return inner(x='3', how=how, engine='local')\n")  # fmt: skip
    assert outer(engine="local") == 3
    with pytest.raises(fused.types.UdfRuntimeError, match="name 'factor' is not defined"):
        outer("factor", engine="local")


def test_to_directory_writes_name_meta_readme_and_a_file_for_each_header(folder):
    udf = Udf(name="Nice", code=TEXT, entrypoint="main", headers=[Header(module_name="beside", source_code="y = 1\n")], metadata={"k": 1})
    udf.to_directory()
    assert sorted(os.listdir("Nice")) == ["Nice.py", "README.md", "beside.py", "meta.json"]
    with pytest.raises(FileExistsError, match="Nice"):
        udf.to_directory()
    udf.to_directory("Nice", overwrite=True)
    assert (folder / "Nice/beside.py").read_text() == "y = 1\n"


def test_meta_json_has_the_step_the_source_and_headers_without_code(folder):
    Udf(name="Nice", code=TEXT, entrypoint="main", headers=[Header(module_name="beside", source_code="y = 1\n")]).to_directory()
    meta = json.loads((folder / "Nice/meta.json").read_text())
    (step,) = meta["job_config"]["steps"]
    assert (meta["job_config"]["name"], meta["job_config"]["metadata"], step["type"]) == (None, None, "udf")
    assert (step["udf"]["source"], step["udf"]["entrypoint"], step["udf"]["type"]) == ("Nice.py", "udf", "geopandas_v2")
    assert step["udf"]["headers"] == [{"module_name": "beside", "source_file": "beside.py"}]
    assert "code" not in step["udf"]


def test_what_is_written_has_import_fused_first_and_the_function_renamed_to_udf(folder):
    plain.to_directory("p")
    assert (folder / "p/plain.py").read_text().startswith("import fused\n\n@fused.udf(")
    assert "def udf(a: int = 1" in (folder / "p/plain.py").read_text()
    recursive = "from __future__ import annotations\nimport fused\n@fused.udf\ndef main(n: int = 2):\n    return [n, *(main(n=n - 1, engine='local') if n else [])]\n"
    fused.load(recursive).to_directory("r")
    assert (folder / "r/main.py").read_text().endswith("else [])]\nmain = udf\n")
    assert fused.load("r")(engine="local") == [2, 1, 0]


def test_to_file_is_a_zip_of_the_same_names(folder):
    plain.to_directory("p")
    plain.to_file("p.zip")
    stream = BytesIO()
    plain.to_file(stream)
    for archive in ("p.zip", stream):
        with zipfile.ZipFile(archive) as opened:
            assert {name: opened.read(name).decode() for name in opened.namelist()} == {
                path.name: path.read_text() for path in Path("p").iterdir()
            }
    with pytest.raises(FileExistsError, match="p.zip"):
        plain.to_file("p.zip")
    plain.to_file("p.zip", overwrite=True)
    assert fused.load("p.zip")(3, engine="local") == [3, "given"]


@pytest.mark.parametrize("name", ["../out", "a/b", "a\\b", "", "..", "c:d"])
def test_names_that_lead_elsewhere_are_not_written(folder, name):
    inside = folder / "inside"
    for udf in (Udf(name=name, code=TEXT, entrypoint="main"),
                Udf(name="ok", code=TEXT, entrypoint="main", headers=[Header(module_name=name, source_code="")])):  # fmt: skip
        with pytest.raises(ValueError, match="is no name of a file"):
            udf.to_directory(inside)
    assert list(folder.iterdir()) == []


def test_a_header_called_like_the_udf_is_refused(folder):
    with pytest.raises(ValueError, match="same name"):
        Udf(name="x", code=TEXT, entrypoint="main", headers=[Header(module_name="x", source_code="")]).to_directory()


UNSAVED = {
    "get_schedule": lambda: plain.get_schedule(),
    "create_access_token": lambda: plain.create_access_token(),
    "delete_saved": lambda: plain.delete_saved(),
    "invalidate_cache": lambda: plain.invalidate_cache(),
    "get_access_tokens": lambda: plain.get_access_tokens(),
    "get_access_token": lambda: plain.get_access_token(),
    "shared_url": lambda: plain.shared_url(),
}


@pytest.mark.parametrize("call", UNSAVED.values(), ids=UNSAVED.keys())
def test_what_needs_a_saved_udf_raises_value_error_for_an_unsaved_one(call):
    """The published client raises AssertionError for the three that read tokens."""
    assert plain.catalog_url is None
    with pytest.raises(ValueError, match="No saved UDF ID found in metadata."):
        call()


def test_without_a_server_the_error_says_what_to_configure(monkeypatch):
    monkeypatch.setattr(fused.options, "base_url", "")
    saved = plain.model_copy(update={"metadata": {"fused:id": "an-id"}})
    for call in (saved.delete_saved, saved.invalidate_cache, saved.to_fused, saved.get_schedule, lambda: fused.load("some_name")):
        with pytest.raises(RuntimeError, match="fused.options.base_url"):
            call()

"""`fused.options`: defaults, checks, and where values come from."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import fused
from fused._option_group import settings_path
from fused._options import AuthOptions, Options, ShowOptions, ValidationError

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of its own, and an environment that says nothing."""
    import os

    for name in list(os.environ):
        if name.startswith("FUSED_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


DEFAULTS = {
    "base_url": "",
    "shared_udf_base_url": "",
    "base_web_url": "",
    "max_workers": 16,
    "run_timeout": 130,
    "request_timeout": 5,
    "metadata_request_timeout": 60.0,
    "request_max_retries": 5,
    "request_retry_base_delay": 1.0,
    "realtime_client_id": None,
    "job_id": None,
    "max_recursion_factor": 5,
    "save_user_settings": True,
    "default_udf_run_engine": None,
    "prompt_to_login": False,
    "no_login": False,
    "pyodide_async_requests": False,
    "cache_directory": None,
    "never_import": False,
    "gcs_secret": "gcs_fused",
    "gcp_project_name": None,
    "logging": False,
    "verbose_udf_runs": False,
    "default_run_headers": {"X-Fused-Cache-Disable": "true"},
    "fused_cache_disable_stream": True,
    "default_dtype_out_vector": "parquet",
    "default_dtype_out_raster": "npy,tiff",
    "default_dtype_out_simple": "json",
    "fd_prefix": None,
    "verbose_cached_functions": True,
    "local_engine_cache": True,
    "default_send_status_email": True,
    "cache_storage": "auto",
    "use_process_pool_for_local_submit": False,
    "h3_extract_processes": None,
    "row_group_batch_size": 1048576,
    "cache_decorator_max_age": 172800,
    "default_conflict_overwrite_choice": "no",
    "default_validate_imports": False,
}


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items(), ids=DEFAULTS.keys())
def test_a_default(home, name, default):
    assert getattr(Options(), name) == default


def test_nested_and_computed_defaults(home):
    import tempfile

    options = Options()
    assert (options.auth.audience, options.auth.scopes) == ("fused-python-api", ["openid", "email", "name", "offline_access"])
    assert (options.auth.credentials_path, options.auth.local_redirect_url) == ("~/.fused/credentials", "http://localhost:3000")
    assert (options.show.open_browser, options.show.show_widget, options.show.enable_tqdm) == (None, None, True)
    temporary = Path(tempfile.gettempdir())
    assert (options.temp_directory, options.gcs_filename) == (temporary, str(temporary / ".gcs.fused"))
    assert options.data_directory in (temporary, Path("/mount/fused-system/tmp"))


def test_all_options_of_the_reference_are_there():
    nested = {f"{name}.{inner}" for name, kind in (("auth", AuthOptions), ("show", ShowOptions)) for inner in kind._options}
    assert len({*Options._options, "base_web_url", *nested}) == 55
    assert {*Options._options, "base_web_url", "save"} <= set(dir(fused.options))
    assert set(ShowOptions._options) <= set(dir(fused.options.show))


COERCED = {
    "int from text": ("max_workers", "5", 5),
    "int from float": ("max_workers", 5.0, 5),
    "int from flag": ("max_workers", True, 1),
    "float from text": ("run_timeout", "1.5", 1.5),
    "float from int": ("metadata_request_timeout", 2, 2.0),
    "seconds": ("request_timeout", "3", 3.0),
    "two times": ("request_timeout", [1, 2], (1.0, 2.0)),
    "no limit": ("request_timeout", None, None),
    "text": ("realtime_client_id", "a", "a"),
    "no text": ("realtime_client_id", None, None),
    "flag": ("no_login", True, True),
    "path": ("cache_directory", "/tmp/a", Path("/tmp/a")),
    "no path": ("cache_directory", None, None),
    "temporary folder": ("temp_directory", "x", Path("x")),
    "no headers": ("default_run_headers", None, None),
    "headers": ("default_run_headers", {"a": "b"}, {"a": "b"}),
    "storage": ("cache_storage", "mount", "mount"),
    "count": ("h3_extract_processes", 0, 0),
}


@pytest.mark.parametrize(("name", "value", "expected"), COERCED.values(), ids=COERCED.keys())
def test_what_is_assigned_is_converted(home, name, value, expected):
    options = Options()
    setattr(options, name, value)
    assert getattr(options, name) == expected
    assert type(getattr(options, name)) is type(expected)


REFUSED = {
    "text for int": ("max_workers", "x", "whole number"),
    "fraction": ("max_workers", 5.5, "whole number"),
    "no int": ("max_workers", None, "whole number"),
    "unknown": ("nope", 1, "no attribute 'nope'"),
    "int for text": ("realtime_client_id", 5, "text"),
    "text for flag": ("no_login", "yes", "True or False"),
    "int for flag": ("no_login", 1, "True or False"),
    "three times": ("request_timeout", (1, 2, 3), "seconds"),
    "headers with a number": ("default_run_headers", {"a": 1}, "dict of texts"),
    "text for headers": ("default_run_headers", "x", "dict"),
    "storage": ("cache_storage", "bad", "'auto', 'mount', 'local', 'object'"),
    "negative": ("h3_extract_processes", -1, "0 or greater"),
    "number for path": ("data_directory", 3, "path"),
    "group": ("auth", 3, "AuthOptions"),
}


@pytest.mark.parametrize(("name", "value", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_is_refused_by_name(home, name, value, message):
    options = Options()
    with pytest.raises(ValidationError) as caught:
        setattr(options, name, value)
    assert isinstance(caught.value, ValueError)
    assert name in str(caught.value)
    assert message in str(caught.value)
    assert caught.value.errors()[0]["loc"][0] == name


def test_nested_options_are_checked(home):
    options = Options()
    with pytest.raises(ValidationError, match="whole\\.|list|must be a list"):
        options.auth.scopes = "x"
    with pytest.raises(ValidationError, match="no attribute"):
        options.show.nope = True
    options.auth = {"client_id": "me"}
    assert (options.auth.client_id, options.auth.audience) == ("me", "fused-python-api")


def test_the_web_address_follows_and_is_read_only(home):
    options = Options(base_url="http://127.0.0.1:81/server/v1")
    assert options.base_web_url == "http://127.0.0.1:81"
    with pytest.raises(AttributeError, match="base_web_url"):
        options.base_web_url = "http://other"


def test_deleting_gives_the_default_back(home):
    options = Options(max_workers=3)
    del options.max_workers
    assert options.max_workers == 16


ENVIRONMENT = {
    "text": ("FUSED_BASE_URL", "http://h/v1", "base_url", "http://h/v1"),
    "int": ("FUSED_MAX_WORKERS", "3", "max_workers", 3),
    "flag": ("FUSED_VERBOSE_UDF_RUNS", "true", "verbose_udf_runs", True),
    "flag as number": ("FUSED_LOCAL_ENGINE_CACHE", "0", "local_engine_cache", False),
    "headers": ("FUSED_DEFAULT_RUN_HEADERS", '{"a": "b"}', "default_run_headers", {"a": "b"}),
    "two times": ("FUSED_REQUEST_TIMEOUT", "[1, 2]", "request_timeout", (1.0, 2.0)),
    "none": ("FUSED_REQUEST_TIMEOUT", "", "request_timeout", None),
    "path": ("FUSED_CACHE_DIRECTORY", "/tmp/q", "cache_directory", Path("/tmp/q")),
}


@pytest.mark.parametrize(("variable", "text", "name", "expected"), ENVIRONMENT.values(), ids=ENVIRONMENT.keys())
def test_the_environment_counts_and_what_is_assigned_wins(home, monkeypatch, variable, text, name, expected):
    monkeypatch.setenv(variable, text)
    options = Options()
    assert getattr(options, name) == expected
    assert getattr(Options(**{name: Options._options[name].check(expected)}), name) == expected


def test_a_wrong_variable_is_named(home, monkeypatch):
    monkeypatch.setenv("FUSED_MAX_WORKERS", "many")
    with pytest.raises(ValidationError, match="FUSED_MAX_WORKERS"):
        print(Options().max_workers)


def test_nested_variables(home, monkeypatch):
    monkeypatch.setenv("FUSED_AUTH_CLIENT_ID", "me")
    monkeypatch.setenv("FUSED_SHOW_ENABLE_TQDM", "no")
    options = Options()
    assert (options.auth.client_id, options.show.enable_tqdm) == ("me", False)


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")
def test_saving_writes_what_differs_and_another_process_reads_it(home):
    options = Options(
        base_url='http://h/"q"/\u00fc\n',
        max_workers="7",
        request_timeout=(1, 2),
        verbose_udf_runs=True,
        data_directory=home,
        realtime_client_id=None,
        default_run_headers={"X-A b": "c"},
    )
    options.auth.scopes = ["one"]
    options.save()
    expected = {
        "base_url": 'http://h/"q"/\u00fc\n',
        "max_workers": 7,
        "request_timeout": [1.0, 2.0],
        "verbose_udf_runs": True,
        "data_directory": str(home),
        "default_run_headers": {"X-A b": "c"},
        "auth": {"scopes": ["one"]},
    }
    assert tomllib.loads((home / ".fused/settings.toml").read_text()) == expected
    script = """
import json, fused
o = fused.options
print(json.dumps([o.base_url, o.max_workers, o.request_timeout, str(o.data_directory), o.default_run_headers,
                  o.auth.scopes, o.auth.audience]))
"""
    shown = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(home), "PYTHONPATH": str(Path(fused.__file__).parent.parent)},
    )
    assert json.loads(shown.stdout) == [
        'http://h/"q"/\u00fc\n',
        7,
        [1.0, 2.0],
        str(home),
        {"X-A b": "c"},
        ["one"],
        "fused-python-api",
    ]


def test_the_environment_wins_over_the_file(home, monkeypatch):
    (home / ".fused").mkdir()
    settings_path().write_text("max_workers = 3\n[auth]\nclient_id = 'file'\naudience = 'file'\n")
    monkeypatch.setenv("FUSED_MAX_WORKERS", "4")
    monkeypatch.setenv("FUSED_AUTH_CLIENT_ID", "variable")
    options = Options()
    assert (options.max_workers, options.auth.client_id, options.auth.audience) == (4, "variable", "file")


def test_a_file_that_is_wrong_is_said_and_not_used(home):
    (home / ".fused").mkdir()
    settings_path().write_text("max_workers = 'x'\nrun_timeout = 9\nunknown = 1\n")
    options = Options()
    with pytest.warns(UserWarning, match=r"settings\.toml is wrong, and its max_workers is not used"):
        assert options.max_workers == 16
    assert options.run_timeout == 9
    settings_path().write_text("= 3")
    options = Options()
    with pytest.warns(UserWarning, match=r"settings\.toml is not used: it is no TOML"):
        assert options.run_timeout == 130


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")
def test_importing_reads_no_file(home):
    (home / ".fused").mkdir()
    settings_path().write_text("= 3")
    script = "import sys, warnings; warnings.simplefilter('error'); import fused._run; fused.options; print('tomllib' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(home), "PYTHONPATH": str(Path(fused.__file__).parent.parent)},
    )
    assert shown.stdout == "False\n"

"""The package's face: exported names, light import, ages and the cache decorator."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import finish

import fused
from fused._age import parse_age

SDK = Path(fused.__file__).parent


def test_all_names_are_exported_and_sorted():
    assert fused.__all__ == sorted(fused.__all__)
    # Asking for a name that is loaded late loads it.
    assert all(getattr(fused, name) is not None for name in fused.__all__)
    public = {name for name in dir(fused) if not name.startswith("_")} - {"Any", "TYPE_CHECKING"}
    assert public == set(fused.__all__)
    assert set(fused.types.__all__) <= set(vars(fused.types))


@pytest.mark.parametrize("name", ["cache", "download", "file_path", "get_chunk_from_table", "get_chunks_metadata"])
def test_core_has_what_many_udfs_name_there(name):
    assert getattr(fused.core, name) is getattr(fused, name)
    assert name in dir(fused.core)


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")
def test_importing_loads_no_library():
    script = f"import sys; sys.path.insert(0, {str(SDK.parent)!r}); import fused._guest; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"numpy", "pandas", "pyarrow", "geopandas", "shapely", "mercantile", "asyncio", "inspect", "difflib", "tomllib"}


def test_no_file_is_long():
    assert {path.name: count for path in SDK.glob("*.py") if (count := len(path.read_text().splitlines())) > 300} == {}


AGES = {"hours": ("12h", 43200), "days": ("7d", 604800), "upper case": ("5M", 300), "spaces": (" 5 s ", 5), "number": (30, 30), "off": (0, 0), "off as text": ("0", 0), "none": (None, None)}


@pytest.mark.parametrize(("age", "seconds"), AGES.values(), ids=AGES.keys())
def test_ages_are_seconds(age, seconds):
    assert parse_age(age) == seconds


@pytest.mark.parametrize("age", ["5", "1w", "1.5h", "-1s", "", True, 1.5, -1])
def test_other_ages_are_refused(age):
    with pytest.raises(ValueError, match="Cannot read cache_max_age"):
        parse_age(age)


def test_the_cache_decorator_computes():
    @fused.cache
    def bare(x):
        """Doubles."""
        return 2 * x

    @fused.cache(cache_max_age="1h", cache_storage="local", cache_key_exclude=["y"])
    def with_options(x, *, y=1, cache_reset=None):
        return (x, y, cache_reset)

    class Holder:
        factor = 3

        @fused.cache
        def method(self, x):
            return self.factor * x

    @fused.cache
    async def later(x):
        return x

    assert (bare(2), bare.__name__, bare.__doc__) == (4, "bare", "Doubles.")
    assert bare(2, cache_reset=True, cache_max_age="1h") == 4
    assert with_options(1, y=2, cache_reset="mine", cache_verbose=False) == (1, 2, "mine")
    assert Holder().method(2) == 6
    assert finish(later(3)) == 3


@pytest.mark.parametrize("options", [{"cache_storage": "disk"}, {"cache_max_age": "1w"}, {"cache_key_exclude": b"x"}])
def test_the_cache_decorator_refuses_bad_options(options):
    with pytest.raises(ValueError, match="Cannot"):
        fused.cache(**options)

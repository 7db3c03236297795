"""What `fused.options` says of `@fused.cache`."""

from collections.abc import Iterator

import pytest
from cache_host import host, kept, new_run  # noqa: F401  (fixtures)

import fused


@pytest.fixture
def options() -> Iterator[object]:
    before = dict(vars(fused.options))
    yield fused.options
    vars(fused.options).clear()
    vars(fused.options).update(before)


def test_the_default_age_and_place(host, options):  # noqa: F811
    options.cache_decorator_max_age = "60"
    options.cache_storage = "mount"
    fused.cache(lambda x: x)(1)
    fused.cache(cache_max_age="2m", cache_storage="local")(lambda x: x + 1)(1)
    requests = [asked[0] for verb, asked in host.asked if verb.endswith("begin")]
    assert [(request["maxAgeMs"], request["storage"]) for request in requests] == [(60_000, "mount"), (120_000, "local")]


def test_hits_can_be_silent(host, options, capsys):  # noqa: F811
    def double(x):
        return 2 * x

    cached = fused.cache(double)
    assert [cached(1), cached(1)] == [2, 2]
    assert "returned cached result" in capsys.readouterr().out
    options.verbose_cached_functions = False
    assert cached(1) == 2
    assert capsys.readouterr().out == ""

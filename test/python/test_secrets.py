"""`fused.secrets` without a host: what it asks for, and what it makes of the answers."""

import copy
import pickle
import sys
from types import SimpleNamespace

import fused
import pytest
from fused import _host, _secrets
from fused._host import HostError


@pytest.fixture
def asked(monkeypatch):
    asked = []

    def call(name, *args):
        asked.append((name, *args))
        if name == "secrets.list":
            return ["A", "B"]
        if args[0] == "NONE":
            raise HostError("There is no secret NONE", "SecretError", "missing")
        if args[0] == "BAD":
            raise HostError("Cannot use a secret", "SecretError", "value")
        return f"<{args[0]}>"

    monkeypatch.setattr(_secrets, "call", call)
    monkeypatch.setattr(_host, "_blocking", lambda *_: pytest.fail("the fake is to be called"))
    return asked


def test_secrets_are_read_by_attribute_and_item(asked):
    assert fused.secrets.API_KEY == fused.secrets["API_KEY"] == "<API_KEY>"
    # Each name is that of a secret.
    assert fused.secrets.get == "<get>"
    assert asked == [("secrets.get", "API_KEY"), ("secrets.get", "API_KEY"), ("secrets.get", "get")]


def test_names_are_listed(asked):
    assert list(fused.secrets) == dir(fused.secrets) == ["A", "B"]
    assert len(fused.secrets) == 2
    assert "A" in fused.secrets
    assert "C" not in fused.secrets
    assert {name for name, *_ in asked} == {"secrets.list"}


@pytest.mark.parametrize("read", [lambda: fused.secrets.NONE, lambda: fused.secrets["NONE"], lambda: hasattr(fused.secrets, "NONE")],
                         ids=["attribute", "item", "hasattr"])  # fmt: skip
def test_a_missing_secret_raises(asked, monkeypatch, read):
    monkeypatch.delitem(sys.modules, "requests", raising=False)
    with pytest.raises(_secrets.SecretNotFoundError, match="There is no secret NONE") as error:
        read()
    assert not isinstance(error.value, KeyError)


def test_a_missing_secret_is_an_http_error_where_requests_is_loaded(asked, monkeypatch):
    class HTTPError(OSError):
        pass

    monkeypatch.setitem(sys.modules, "requests", SimpleNamespace(HTTPError=HTTPError))
    with pytest.raises(HTTPError, match="There is no secret NONE"):
        fused.secrets.NONE  # noqa: B018


def test_other_failures_are_the_hosts(asked):
    with pytest.raises(HostError, match="Cannot use a secret"):
        fused.secrets.BAD  # noqa: B018


@pytest.mark.parametrize(("change", "command"), [
    (lambda: setattr(fused.secrets, "A", "x"), "fuselet secrets set A"),
    (lambda: fused.secrets.__setitem__("A", "x"), "fuselet secrets set A"),
    (lambda: delattr(fused.secrets, "A"), "fuselet secrets delete A"),
    (lambda: fused.secrets.__delitem__("A"), "fuselet secrets delete A"),
], ids=["set attribute", "set item", "delete attribute", "delete item"])  # fmt: skip
def test_a_udf_cannot_change_secrets(asked, change, command):
    with pytest.raises(TypeError, match=command):
        change()
    assert asked == []


def test_looking_at_the_object_asks_for_nothing(asked):
    assert repr(fused.secrets) == "fused.secrets"
    assert type(copy.deepcopy(fused.secrets)) is type(pickle.loads(pickle.dumps(fused.secrets))) is type(fused.secrets)
    assert not hasattr(fused.secrets, "__wrapped__")
    assert asked == []

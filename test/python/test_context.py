"""`fused.context` against a host that says who asked for the run."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fused
from fused import _guest, _host, context
from fused._encode import encode

ANSWER = {
    "headers": {"x-name": "a", "accept": "text/html"},
    "recursionFactor": 2,
    "clientId": "client-1",
    "userEmail": "ann@example.com",
    "user": {"id": "1", "email": "ann@example.com", "handle": "ann", "name": "Ann", "executionEnvironmentId": "team-1", "isAdmin": False},
    "kind": "realtime",
    "shareToken": "token-1",
    "sessionToken": "session-1",
    "executionEnvironmentId": "team-1",
    "udf": {"name": "hello", "hash": "00ff"},
}


class FakeHost:
    """Answers `context.get`, `field` and `header`; notes what it was asked."""

    def __init__(self) -> None:
        self.answer: Any = dict(ANSWER)
        self.error: dict[str, Any] | None = None
        self.asked: list[tuple[str, str]] = []

    def call(self, name: str, text: str, buffers: Any) -> Any:
        self.asked.append((name, text))
        if self.error:
            return [json.dumps({"ok": False, "error": self.error}), []]
        args = json.loads(text)
        headers = {key.lower(): value for key, value in self.answer["headers"].items()}
        answer = {"context.get": lambda: self.answer, "context.field": lambda field: self.answer[field],
                  "context.header": headers.get}[name](*args)  # fmt: skip
        return [f'{{"ok":true,"value":{encode(answer)[0]}}}', []]


@pytest.fixture
def new_run() -> Callable[[], None]:
    """Begins another run, as far as what is remembered for one goes."""

    def begin() -> None:
        _guest.result_buffers = []
        _guest._prepared = None

    begin()
    return begin


@pytest.fixture
def host(new_run: Callable[[], None]) -> Iterator[FakeHost]:
    fake = FakeHost()
    _host.connect(fake.call, None, "a test")
    yield fake
    _host.connect(None, None, "this interpreter is in no isolate")


PARTS = {
    "get_headers": {"x-name": "a", "accept": "text/html"},
    "get_recursion_factor": 2,
    "get_realtime_client_id": "client-1",
    "get_user_email": "ann@example.com",
    "in_realtime": True,
    "in_batch": False,
    "get_share_token": "token-1",
    "get_session_token": "session-1",
    "get_execution_environment_id": "team-1",
}
LOCAL = {
    "get_headers": {},
    "get_recursion_factor": 0,
    "get_realtime_client_id": None,
    "get_user_email": None,
    "in_realtime": False,
    "in_batch": False,
    "get_share_token": None,
    "get_session_token": None,
    "get_execution_environment_id": None,
    "this_udf": None,
}


@pytest.mark.parametrize(("name", "value"), PARTS.items(), ids=PARTS.keys())
def test_the_host_says_it(host, name, value):
    assert getattr(fused.context, name)() == value


@pytest.mark.parametrize(("name", "value"), LOCAL.items(), ids=LOCAL.keys())
def test_without_a_host_it_is_a_local_run_that_nobody_asked_for(new_run, name, value):
    assert getattr(fused.context, name)() == value


@pytest.mark.parametrize(("name", "value"), LOCAL.items(), ids=LOCAL.keys())
def test_so_it_is_where_the_host_has_no_such_binding(host, name, value):
    host.error = {"type": "UsageError", "message": "The host has no binding context.get"}
    assert getattr(fused.context, name)() == value


def test_a_header_is_found_whatever_its_case(host):
    host.answer["headers"] = {"X-Name": "a"}
    assert [context.get_header(name) for name in ("x-name", "X-NAME", "X-Name", "name")] == ["a", "a", "a", None]
    assert context.get_headers() == {"x-name": "a"}


@pytest.mark.parametrize(("kind", "expected"), [("local", (False, False)), ("realtime", (True, False)), ("batch", (False, True))])
def test_the_kind_of_a_run(host, kind, expected):
    host.answer["kind"] = kind
    assert (context.in_realtime(), context.in_batch()) == expected


@pytest.mark.parametrize("kind", ["realtime", "batch"])
@pytest.mark.parametrize("how", [{"engine": "remote"}, {"engine": "realtime"}, {"instance_type": "realtime"}])
def test_in_a_run_of_a_server_remote_is_here(host, kind, how):
    host.answer["kind"] = kind
    twice = fused.load("import fused\n@fused.udf\ndef udf(n: int):\n    return n * 2")
    assert fused.run(twice, n=4, **how) == 8


def test_elsewhere_remote_is_the_server_that_is_named(host):
    host.answer["kind"] = "local"
    with pytest.raises(RuntimeError, match="Cannot ask the server"):
        fused.run(fused.load("import fused\n@fused.udf\ndef udf(): pass"), engine="remote")


def test_the_host_is_asked_once_a_run_and_for_what_is_wanted(host, new_run):
    for _ in range(2):
        assert context.get_user_email() == "ann@example.com"
        assert (context.in_realtime(), context.in_batch()) == (True, False)
        assert (context.get_header("X-Name"), context.get_header("x-none")) == ("a", None)
    asked = [("context.field", '["userEmail"]'), ("context.field", '["kind"]'), ("context.header", '["x-name"]'), ("context.header", '["x-none"]')]
    assert host.asked == asked
    context.get_headers()
    context.get_header("accept")
    assert host.asked == [*asked, ("context.field", '["headers"]')]
    new_run()
    host.asked.clear()
    context.get_global_context()
    assert (context.get_user_email(), context.get_header("x-name")) == ("ann@example.com", "a")
    assert host.asked == [("context.get", "[]")]
    host.answer["userEmail"] = "bob@example.com"
    assert context.get_user_email() == "ann@example.com"
    new_run()
    assert context.get_user_email() == "bob@example.com"
    assert len(host.asked) == 2


def test_runs_ask_for_themselves_and_nested_ones_do_not(host, run):
    code = """
        import fused
        from fused import context
        @fused.udf
        def inner(): return context.get_user_email()
        @fused.udf
        def udf(): return [context.get_user_email(), inner(), fused.context.get_user_email()]
    """
    assert run(code) == ["ann@example.com"] * 3
    assert len(host.asked) == 1
    host.answer["userEmail"] = None
    assert run(code) == [None] * 3
    assert len(host.asked) == 2


def test_a_udf_that_does_not_ask_costs_no_call(host, run):
    assert run("import fused\n@fused.udf\ndef udf(): return 1") == 1
    assert host.asked == []


def test_what_a_udf_gets_is_a_copy(host):
    context.get_headers()["x-name"] = "changed"
    assert context.get_header("x-name") == "a"


def test_all_of_it(host):
    whole = context.get_global_context()
    assert type(whole) is context.ExecutionContext and context.get_global_context() is whole
    assert (whole.headers, whole.recursion_factor, whole.realtime_client_id) == (ANSWER["headers"], 2, "client-1")
    assert (whole.user_email, whole.kind, whole.share_token, whole.udf_name) == ("ann@example.com", "realtime", "token-1", "hello")
    assert (whole.in_realtime, whole.in_batch) == (True, False)
    assert repr(whole) == "ExecutionContext(kind='realtime', udf_name='hello', recursion_factor=2)"
    with pytest.raises(AttributeError, match="Cannot set kind"):
        whole.kind = "batch"


def test_whoami_is_who_is_signed_in_to_the_run(host):
    found = fused.api.whoami()
    assert found == {
        "id": "1",
        "email": "ann@example.com",
        "handle": "ann",
        "name": "Ann",
        "execution_environment_id": "team-1",
        "is_admin": False,
    }
    found["email"] = "other"
    assert fused.api.whoami()["email"] == "ann@example.com"
    assert [name for name, _ in host.asked] == ["context.field"]


def test_whoami_where_nobody_is_signed_in_and_what_takes_a_token_say_what_to_do(host):
    host.answer["user"] = None
    with pytest.raises(RuntimeError, match="nobody is signed in to this run"):
        fused.api.whoami()
    with pytest.raises(RuntimeError, match="a UDF gets no token of its user.*FUSED_AUTH_TOKEN"):
        fused.api.team_info()
    with pytest.raises(RuntimeError, match="There is no access token"):
        fused.api.access_token()


def test_whoami_asks_a_server_that_the_udf_names(host):
    with pytest.raises(Exception) as raised:
        fused.api.FusedAPI(base_url="http://127.0.0.1:1/server/v1", set_global_api=False)._whoami()
    assert "signed in" not in str(raised.value)
    assert not any(name == "context.field" for name, _ in host.asked)


def test_another_failure_of_the_host_is_one(host):
    host.error = {"type": "Error", "message": "context.get failed in the host"}
    with pytest.raises(RuntimeError, match="failed in the host"):
        context.get_headers()


def test_where_nothing_can_wait_it_says_so(host, monkeypatch):
    _host.connect(None, host.call, "this platform cannot block")
    monkeypatch.setattr(_host, "_can_suspend", lambda: False)
    with pytest.raises(RuntimeError, match="Cannot call context.field without await: this platform cannot block"):
        context.get_headers()


def test_all_names_are_there():
    assert set(context.__all__) <= set(vars(context))
    assert context.__all__ == sorted(context.__all__)


THIS = """
import fused
from fused.context import this_udf

def name():
    udf = this_udf()
    return [udf.name, type(udf).__name__]

@fused.udf(name="second")
def inner(deep: bool = False):
    return [name(), udf.name]

@fused.udf
async def later():
    return name()

@fused.udf(default_parameters={"n": 3})
def udf(n: int = 1):
    @fused.udf
    def local():
        from fused.context import this_udf
        return this_udf().name
    return [name(), this_udf() is udf, inner(), local(), name(), this_udf().parameters]
"""


def test_the_udf_that_is_running(run):
    mine = ["udf", "Udf"]
    assert run(THIS) == [mine, True, [["second", "Udf"], "udf"], "local", mine, {"n": 3}]
    assert run(THIS, _entrypoint="inner") == [["second", "Udf"], "udf"]
    assert run(THIS, _entrypoint="later") == ["later", "Udf"]
    assert run("import fused\nfrom fused.context import this_udf\ndef udf(): return this_udf()", _entrypoint="udf") is None

"""httpx by way of the host, with both of its clients."""

import pytest
from net_host import Host
from net_servers import pattern

pytest.importorskip("httpx")


def test_a_client_does_what_it_does_elsewhere(isolate, server):
    got = isolate.body("""
        import httpx
        with httpx.Client(base_url=url, headers={"X-Client": "1"}, follow_redirects=True) as client:
            client.get("/cookies?a=1")
            answers = [client.get("/echo", params={"q": "ü x"}), client.post("/echo", json={"a": 1}), client.put("/echo", content=b"\\xff"),
                       client.post("/echo", data={"a": "1 2"}), client.post("/echo", files={"f": ("a.txt", b"content")}),
                       client.post("/echo", content=(part for part in [b"a", b"b"])), client.get("/redirect?to=/echo")]
            return [[answer.json() for answer in answers], answers[-1].url.path, [step.status_code for step in answers[-1].history],
                    answers[0].http_version, answers[0].reason_phrase, client.head("/file").headers["content-length"]]
    """, url=server.url)  # fmt: skip
    answers = got[0]
    assert answers[0]["path"] == "/echo?q=%C3%BC+x"
    assert [answer["body"] for answer in answers[1:4]] == ['{"a":1}', "\xff", "a=1+2"]
    assert "content" in answers[4]["body"]
    assert answers[5]["body"] == "ab"
    assert all(dict(answer["headers"])["cookie"] == "a=1" for answer in answers)
    assert got[1:] == ["/echo", [302], "HTTP/1.1", "OK", "1000000"]


def test_answers_are_streamed(isolate, server):
    got = isolate.body("""
        import httpx
        with httpx.stream("GET", url + "/bytes?n=2000000") as response:
            parts = list(response.iter_bytes(100_000))
        with httpx.stream("GET", url + "/bytes?n=2000000") as response:
            pass
        return [b"".join(parts), len(parts), httpx.get(url + "/gzip").json(), httpx.get(url + "/chunked?n=1000").content]
    """, url=server.url)  # fmt: skip
    assert got == [pattern(2_000_000), 20, {"compressed": True}, pattern(1000)]
    assert not isolate.host.open


def test_the_asynchronous_client(isolate, server):
    got = isolate.body_async("""
        import asyncio, httpx
        async with httpx.AsyncClient(base_url=url, auth=("ada", "s3cret")) as client:
            several = await asyncio.gather(*(client.get(f"/echo/{n}") for n in range(5)))
            async def parts():
                yield b"a"
                yield b"b"
            sent = await client.post("/echo", content=parts())
            async with client.stream("GET", "/bytes?n=500000") as response:
                size = 0
                async for part in response.aiter_bytes():
                    size += len(part)
            return [[answer.json()["path"] for answer in several], sent.json()["body"], size, (await client.get("/basic")).text]
    """, url=server.url)  # fmt: skip
    assert got == [[f"/echo/{n}" for n in range(5)], "ab", 500_000, "welcome"]
    assert not isolate.host.open


FAILURES = {
    "unknown name": ("http://nowhere.example/", "ConnectError", "gaierror"),
    "refused": ("http://127.0.0.1:1/", "ConnectError", "ConnectionRefusedError"),
    "time-out": ("{url}/slow?s=3", "ReadTimeout", "TimeoutError"),
    "no HTTP": ("{url}/garbage", "RemoteProtocolError", "HTTPException"),
    "a stop in the body": ("{url}/drip?n=2&s=3", "ReadTimeout", "TimeoutError"),
    "a body that breaks off": ("{url}/break", "RemoteProtocolError", "HTTPException"),
    "another scheme": ("ftp://a.example/", "UnsupportedProtocol", "NoneType"),
}


@pytest.mark.parametrize("form", ["body", "body_async"])
@pytest.mark.parametrize(("target", "raised", "cause"), FAILURES.values(), ids=FAILURES.keys())
def test_failures_are_those_of_httpx(isolate, server, target, raised, cause, form):
    call = "httpx.get(target, timeout=0.3)" if form == "body" else "await httpx.AsyncClient(timeout=0.3).get(target)"
    got = getattr(isolate, form)(f"""
        import httpx
        try:
            {call}
        except httpx.HTTPError as error:
            return [type(error).__name__, type(error.__cause__).__name__, error.request.url.host != ""]
    """, target=target.format(url=server.url))  # fmt: skip
    assert got == [raised, cause, True]


def test_https_works_and_verification_stays_on(isolate, secure):
    got = isolate.body("""
        import httpx, ssl, warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            httpx.get(url + "/echo", verify=False)
        try:
            httpx.Client(cert="a.pem")
        except ValueError as error:
            refused = "TLS is the host's" in str(error)
        return [httpx.get(url + "/echo", verify=ssl.create_default_context()).json()["secure"], refused]
    """, url=secure.url)  # fmt: skip
    assert got == [True, True]

    isolate.host = Host()
    got = isolate.body("""
        import httpx
        try:
            httpx.get(url, verify=False)
        except httpx.ConnectError as error:
            return str(error)
    """, url=secure.url)  # fmt: skip
    assert "securely" in got


@pytest.mark.parametrize("form", ["body", "body_async"])
def test_a_denial_ends_the_run_as_one(isolate, server, failure, form):
    isolate.host.granted = set()
    call = "httpx.get(url)" if form == "body" else "await httpx.AsyncClient().get(url)"
    error = failure(getattr(isolate, form), f"import httpx\n{call}", url=server.url)
    assert (error.kind, error.subject, error.value) == ("permission", "net", f"127.0.0.1:{server.port}")
    assert isolate.host.calls == ["net.fetch"]


def test_a_denial_in_a_group_of_tasks_is_one(isolate, server, failure):
    isolate.host.granted = set()
    error = failure(isolate.body_async, """
        import asyncio, httpx
        async with httpx.AsyncClient() as client, asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(client.get(url))
    """, url=server.url)  # fmt: skip
    assert (error.kind, error.type) == ("permission", "PermissionDeniedError")
    assert "unhandled errors in a TaskGroup" in error.traceback


def test_headers_cannot_be_used_to_send_two_requests(isolate, server):
    got = isolate.body("""
        import httpx
        found = []
        for headers in ([("A", "b\\r\\nC: d")], [("Content-Length", "5"), ("Content-Length", "6")], [("Upgrade", "websocket")]):
            try:
                httpx.post(url + "/echo", headers=headers, content=b"hello")
            except httpx.HTTPError as error:
                found.append(type(error).__name__)
        return found
    """, url=server.url)  # fmt: skip
    assert got == ["RemoteProtocolError"] * 3
    assert server.requests == []

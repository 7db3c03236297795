"""requests and urllib3 by way of the host."""

import pytest
from net_host import Host
from net_servers import pattern

pytest.importorskip("requests")


def test_a_session_does_what_it_does_elsewhere(isolate, server):
    got = isolate.body("""
        import requests
        with requests.Session() as session:
            session.headers["X-Session"] = "1"
            first = session.get(url + "/cookies", params={"a": "1 ü"})
            second = session.get(url + "/cookies")
            third = session.get(url + "/echo", params=[("q", "x y"), ("q", "z")], headers={"X-Own": "2"})
            return [first.status_code, first.headers["content-type"], session.cookies.get("a"), second.json(), third.json(), third.url]
    """, url=server.url)  # fmt: skip
    assert got[:3] == [200, "application/json", "1 ü"]
    assert "a=1" in got[3]["cookie"]
    assert got[4]["path"] == "/echo?q=x+y&q=z"
    assert {("x-session", "1"), ("x-own", "2")} <= {tuple(pair) for pair in got[4]["headers"]}
    assert got[5] == f"{server.url}/echo?q=x+y&q=z"


POSTS = {
    "JSON": ('json={"a": [1, "ü"]}', '{"a": [1, "\\u00fc"]}', "application/json"),
    "a form": ('data={"a": "1 2", "b": ["x", "y"]}', "a=1+2&b=x&b=y", "application/x-www-form-urlencoded"),
    "bytes": ('data=b"\\x00\\xff"', "\x00\xff", None),
    "text": ('data="ü"', "Ã¼", None),
    "a file": ('data=__import__("io").BytesIO(b"content")', "content", None),
    "a generator": ('data=(part for part in [b"a" * 10, b"b"])', "aaaaaaaaaab", None),
    "an empty body": ('data=b""', "", None),
}


@pytest.mark.parametrize(("argument", "body", "kind"), POSTS.values(), ids=POSTS.keys())
def test_bodies_are_sent(isolate, server, argument, body, kind):
    got = isolate.body(f"""
        import requests
        return requests.post(url + "/echo", {argument}).json()
    """, url=server.url)  # fmt: skip
    assert got["body"] == body
    assert dict(got["headers"]).get("content-type") == kind
    assert "transfer-encoding" not in dict(got["headers"])


def test_files_are_sent_as_multipart(isolate, server):
    got = isolate.body("""
        import io, requests
        return requests.post(url + "/echo", files={"file": ("ä.txt", io.BytesIO(b"content"), "text/plain")}, data={"name": "value"}).json()
    """, url=server.url)  # fmt: skip
    assert dict(got["headers"])["content-type"].startswith("multipart/form-data; boundary=")
    assert all(part in got["body"] for part in ('name="name"\r\n\r\nvalue', "Content-Type: text/plain\r\n\r\ncontent", 'name="file"'))


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "head"])
def test_all_methods_work(isolate, server, method):
    got = isolate.body("""
        import requests
        response = requests.request(method, url + "/echo")
        return [response.status_code, response.request.method, len(response.content) > 0]
    """, url=server.url, method=method)  # fmt: skip
    assert got == [200, method.upper(), method != "head"]
    assert server.requests == [f"{method.upper()} /echo"]


def test_redirects_have_a_history(isolate, server):
    got = isolate.body("""
        import requests
        followed = requests.get(f"{url}/redirect?to=/redirect?to=/echo")
        stopped = requests.get(f"{url}/redirect?to=/echo", allow_redirects=False)
        posted = requests.post(f"{url}/redirect?status=307&to=/echo", data="x")
        return [[step.status_code for step in followed.history], followed.url, stopped.is_redirect, stopped.headers["Location"],
                posted.json()["body"]]
    """, url=server.url)  # fmt: skip
    assert got == [[302, 302], f"{server.url}/echo", True, "/echo", "x"]


def test_credentials_do_not_follow_to_another_host(isolate, server):
    got = isolate.body("""
        import requests
        def sent(target):
            response = requests.get(f"{url}/redirect?to={target}/echo", auth=("ada", "s3cret"))
            return "authorization" in dict(response.json()["headers"])
        return [sent(url), sent(f"http://named.example:{port}")]
    """, url=server.url, port=server.port)  # fmt: skip
    assert got == [True, False]


def test_basic_auth_works(isolate, server):
    got = isolate.body("""
        import requests
        from requests.auth import HTTPBasicAuth
        inside = url.replace("http://", "http://ada:s3cret@")
        return [requests.get(url + "/basic").status_code, requests.get(url + "/basic", auth=HTTPBasicAuth("ada", "s3cret")).text,
                requests.get(inside + "/basic").text]
    """, url=server.url)  # fmt: skip
    assert got == [401, "welcome", "welcome"]


@pytest.mark.parametrize("path", ["bytes?n=3000000", "chunked?n=3000000"])
def test_answers_are_streamed(isolate, server, path):
    got = isolate.body("""
        import requests
        with requests.get(f"{url}/{path}", stream=True) as response:
            parts = list(response.iter_content(chunk_size=65536))
        with requests.get(f"{url}/{path}", stream=True) as response:
            beginning = response.raw.read(1000)
        return [b"".join(parts), len(parts) > 20, beginning]
    """, url=server.url, path=path)  # fmt: skip
    assert got == [pattern(3_000_000), True, pattern(1000)]
    assert not isolate.host.open


def test_lines_and_compressed_answers_are_read(isolate, server):
    server.files["/data/lines"] = b"a\nb\r\nc"
    got = isolate.body("""
        import requests
        compressed = requests.get(url + "/gzip")
        return [list(requests.get(url + "/data/lines", stream=True).iter_lines()), compressed.json(), compressed.headers.get("Content-Encoding")]
    """, url=server.url)  # fmt: skip
    assert got == [[b"a", b"b", b"c"], {"compressed": True}, None]


def test_error_statuses_are_answers(isolate, server):
    got = isolate.body("""
        import requests
        missing = requests.get(url + "/status/404")
        try:
            requests.get(url + "/status/503").raise_for_status()
        except requests.HTTPError as error:
            return [missing.status_code, missing.reason, missing.text, str(error)]
    """, url=server.url)  # fmt: skip
    assert got == [404, "Not Found", "a body", f"503 Server Error: Service Unavailable for url: {server.url}/status/503"]


FAILURES = {
    "unknown name": ("http://nowhere.example/", "ConnectionError", "NameResolutionError"),
    "refused": ("http://127.0.0.1:1/", "ConnectionError", "NewConnectionError"),
    "time-out": ("{url}/slow?s=3", "ReadTimeout", "ReadTimeoutError"),
    "no HTTP": ("{url}/garbage", "ConnectionError", "ProtocolError"),
}


@pytest.mark.parametrize(("target", "raised", "inner"), FAILURES.values(), ids=FAILURES.keys())
def test_failures_are_those_of_requests(isolate, server, target, raised, inner):
    got = isolate.body("""
        import requests
        try:
            requests.get(target, timeout=0.3)
        except requests.RequestException as error:
            cause = error.args[0]
            return [type(error).__name__, type(getattr(cause, "reason", cause)).__name__]
    """, target=target.format(url=server.url))  # fmt: skip
    assert got == [raised, inner]
    assert len(isolate.host.requests) == 1


def test_the_time_out_is_for_each_wait_and_the_answers_own(isolate, server):
    got = isolate.body("""
        import requests
        return requests.get(url + "/slow?s=0.3", timeout=(0.05, 2)).text
    """, url=server.url)  # fmt: skip
    assert got == "late"
    assert [(request["timeoutMs"], request["timeoutFor"]) for request in isolate.host.requests] == [(2000, "step")]


def test_a_body_that_stops_is_a_time_out(isolate, server):
    got = isolate.body("""
        import requests
        try:
            return len(requests.get(url + "/drip?n=2&s=3", timeout=0.3).content)
        except requests.RequestException as error:
            return type(error).__name__
    """, url=server.url)  # fmt: skip
    assert got == "ConnectionError"


def test_an_answer_that_breaks_off_is_an_error(isolate, server):
    got = isolate.body("""
        import requests
        try:
            return len(requests.get(url + "/break").content)
        except requests.RequestException as error:
            return type(error).__name__
    """, url=server.url)  # fmt: skip
    assert got == "ChunkedEncodingError"


def test_retries_are_urllib3s(isolate, server):
    got = isolate.body("""
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=Retry(total=2, status_forcelist=[503], backoff_factor=0)))
        try:
            session.get(url + "/status/503")
        except requests.exceptions.RetryError as error:
            return type(error.args[0].reason).__name__
    """, url=server.url)  # fmt: skip
    assert got == "ResponseError"
    assert server.requests == ["GET /status/503"] * 3


def test_https_works_and_verification_stays_on(isolate, secure):
    got = isolate.body("""
        import requests, warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            unverified = [requests.get(url + "/echo", verify=False).json()["secure"] for _ in range(2)]
        return [requests.get(url + "/echo").json()["secure"], unverified, [str(item.message) for item in caught if "host" in str(item.message)][:1]]
    """, url=secure.url)  # fmt: skip
    assert got[:2] == [True, [True, True]]

    isolate.host = Host()
    got = isolate.body("""
        import requests
        found = []
        for verify in (True, False):
            try:
                requests.get(url, verify=verify)
            except requests.exceptions.SSLError as error:
                found.append(type(error.args[0].reason).__name__)
        return found
    """, url=secure.url)  # fmt: skip
    assert got == ["SSLError", "SSLError"]


def test_a_denial_is_asked_for_once_and_ends_the_run(isolate, server, failure):
    isolate.host.granted = set()
    for code in ("requests.get(url)", "urllib3.PoolManager().request('GET', url)", "urllib3.request('GET', url, retries=5)"):
        isolate.host.calls.clear()
        error = failure(isolate.body, f"import requests, urllib3\n{code}", url=server.url)
        assert (error.kind, error.subject, error.value) == ("permission", "net", f"127.0.0.1:{server.port}")
        assert isolate.host.calls == ["net.fetch"]
    assert server.requests == []


def test_urllib3_by_itself(isolate, server):
    got = isolate.body("""
        import urllib3
        pool = urllib3.PoolManager(headers={"X-Pool": "1"})
        plain = pool.request("GET", url + "/echo", fields={"a": "1 2"})
        sent = pool.request("POST", url + "/echo", fields={"a": "1", "file": ("a.txt", "content")})
        streamed = pool.request("GET", url + "/bytes?n=300000", preload_content=False)
        parts = list(streamed.stream(65536))
        streamed.release_conn()
        followed = pool.request("GET", url + "/redirect?to=/echo")
        own = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1)
        return [plain.json()["path"], plain.headers["Content-Type"], "multipart" in str(sent.json()["headers"]), b"".join(parts), followed.geturl(),
                [own.request("GET", "/echo").status for _ in range(3)], pool.request("GET", url + "/chunked?n=1000").data]
    """, url=server.url, port=server.port)  # fmt: skip
    assert got == ["/echo?a=1+2", "application/json", True, pattern(300_000), "/echo", [200] * 3, pattern(1000)]


def test_urllib3_names_its_own_failures(isolate, server):
    got = isolate.body("""
        import urllib3
        from urllib3.util import Timeout
        found = []
        for target in ("http://nowhere.example/", "http://127.0.0.1:1/", url + "/slow?s=3"):
            try:
                urllib3.PoolManager(retries=False).request("GET", target, timeout=Timeout(connect=0.1, read=0.3))
            except urllib3.exceptions.HTTPError as error:
                found.append(type(error).__name__)
        return found
    """, url=server.url)  # fmt: skip
    assert got == ["NameResolutionError", "NewConnectionError", "ReadTimeoutError"]


@pytest.mark.parametrize("path", ["/ü/ö?ß=ä", "/a%20b/c%2Fd?x=%26", "/a b", "/~x/(y);z,w='q'"])
def test_urls_arrive_as_they_were_meant(isolate, server, path):
    got = isolate.body("""
        import requests
        response = requests.get(url + "/echo" + path)
        return [response.json()["path"], response.request.path_url]
    """, url=server.url, path=path)  # fmt: skip
    assert got[0] == got[1]
    assert got[0].isascii()


def test_a_proxy_is_refused_by_name(isolate, server):
    got = isolate.body("""
        import requests
        try:
            requests.get("http://a.example/", proxies={"http": url})
        except requests.RequestException as error:
            return str(error)
    """, url=server.url)  # fmt: skip
    assert "the host has its own" in got
    assert isolate.host.calls == []

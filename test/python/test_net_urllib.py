"""urllib.request, http.client and plain sockets by way of the host."""

import hashlib
import json
import subprocess
import sys

import pytest
from net_host import Host
from net_servers import pattern


def test_a_page_is_read(isolate, server):
    got = isolate.body("""
        from urllib.request import urlopen
        with urlopen(url + "/echo?x=1", timeout=5) as response:
            return [response.status, response.reason, response.headers["content-type"], response.url, response.read().decode()]
    """, url=server.url)  # fmt: skip
    assert got[:4] == [200, "OK", "application/json", f"{server.url}/echo?x=1"]
    assert json.loads(got[4])["path"] == "/echo?x=1"
    assert isolate.host.requests[0]["timeoutMs"] == 5000


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_a_body_and_headers_are_sent(isolate, server, method):
    text = isolate.body("""
        from urllib.request import Request, urlopen
        request = Request(url + "/echo", data="ü=1".encode(), headers={"X-Ünïcode".encode("ascii", "ignore").decode(): "é"}, method=method)
        return urlopen(request).read().decode()
    """, url=server.url, method=method)  # fmt: skip
    got = json.loads(text)
    assert (got["method"], got["body"].encode("latin-1").decode()) == (method, "ü=1")
    assert ["x-ncode", "é"] in got["headers"]
    assert ["content-type", "application/x-www-form-urlencoded"] in got["headers"]


def test_a_head_request_has_no_body(isolate, server):
    got = isolate.body("""
        from urllib.request import Request, urlopen
        response = urlopen(Request(url + "/file", method="HEAD"))
        return [response.read(), response.headers["Content-Length"], list(response.headers)]
    """, url=server.url)  # fmt: skip
    assert got[:2] == [b"", "1000000"]
    # As servers spell them over HTTP/1.1.
    assert {"Content-Length", "Accept-Ranges", "ETag"} <= set(got[2])


@pytest.mark.parametrize(("status", "expected"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, None), (308, None)])
def test_redirects_are_urllibs_own(isolate, server, status, expected):
    got = isolate.body("""
        import json
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen
        target = f"{url}/redirect?status={status}&to=/echo"
        seen = urlopen(target)
        try:
            posted = json.load(urlopen(Request(target, data=b"x")))["method"]
        except HTTPError as error:
            posted = None
        return [seen.url, posted]
    """, url=server.url, status=status)  # fmt: skip
    assert got == [f"{server.url}/echo", expected]
    assert {request["redirect"] for request in isolate.host.requests} == {"manual"}


def test_a_host_that_shows_no_redirects_follows_them(isolate, server):
    isolate.host.shows_redirects = False
    got = isolate.body("""
        import json
        from urllib.request import urlopen
        return json.load(urlopen(f"{url}/redirect?to=/echo"))["path"]
    """, url=server.url)  # fmt: skip
    assert got == "/echo"
    assert [request["redirect"] for request in isolate.host.requests] == ["manual", "follow"]


def test_an_opener_keeps_cookies(isolate, server):
    got = isolate.body("""
        import json, http.cookiejar
        from urllib.request import HTTPCookieProcessor, build_opener
        jar = http.cookiejar.CookieJar()
        opener = build_opener(HTTPCookieProcessor(jar))
        opener.open(url + "/cookies?a=1&b=2").read()
        return [sorted(cookie.name for cookie in jar), json.load(opener.open(url + "/cookies"))["cookie"]]
    """, url=server.url)  # fmt: skip
    assert got == [["a", "b"], "a=1; b=2"]


def test_basic_auth_answers_a_challenge(isolate, server):
    got = isolate.body("""
        from urllib.request import HTTPBasicAuthHandler, HTTPPasswordMgrWithDefaultRealm, build_opener
        passwords = HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, url, "ada", "s3cret")
        return build_opener(HTTPBasicAuthHandler(passwords)).open(url + "/basic").read()
    """, url=server.url)  # fmt: skip
    assert got == b"welcome"


@pytest.mark.parametrize("path", ["bytes?n=5000000", "chunked?n=5000000"])
def test_a_large_answer_comes_in_parts(isolate, server, path):
    got = isolate.body("""
        import hashlib
        from urllib.request import urlopen
        response, digest, sizes = urlopen(f"{url}/{path}"), hashlib.sha256(), 0
        first = response.read(10)
        digest.update(first)
        while part := response.read(100_001):
            digest.update(part)
            sizes += 1
        return [first, digest.hexdigest(), sizes]
    """, url=server.url, path=path)  # fmt: skip
    assert got == [pattern(10), hashlib.sha256(pattern(5_000_000)).hexdigest(), 50]
    assert isolate.host.calls.count("net.read") > 5
    assert not isolate.host.open


def test_what_is_not_read_to_its_end_is_closed(isolate, server):
    got = isolate.body("""
        from urllib.request import urlopen
        kept = urlopen(url + "/bytes?n=5000000")
        sizes = [len(urlopen(url + "/bytes?n=5000000").read(7)) for _ in range(3)]
        with urlopen(url + "/bytes?n=5000000") as response:
            response.readline()
        return sizes
    """, url=server.url)  # fmt: skip
    assert got == [7, 7, 7]
    assert isolate.host.calls.count("net.close") == 5
    assert not isolate.host.open


def test_a_file_is_retrieved(isolate, server, tmp_path):
    target = tmp_path / "a.bin"
    got = isolate.body("""
        from urllib.request import urlretrieve
        steps = []
        path, headers = urlretrieve(url + "/bytes?n=100000", target, lambda *step: steps.append(step))
        return [path, headers["Content-Length"], len(steps)]
    """, url=server.url, target=str(target))  # fmt: skip
    assert got[:2] == [str(target), "100000"]
    assert target.stat().st_size == 100_000


def test_compressed_answers_are_plain(isolate, server):
    got = isolate.body("""
        import json
        from urllib.request import Request, urlopen
        response = urlopen(Request(url + "/gzip", headers={"Accept-Encoding": "gzip"}))
        return [response.headers["content-encoding"], json.load(response)]
    """, url=server.url)  # fmt: skip
    assert got == [None, {"compressed": True}]


def test_error_statuses_are_errors_with_a_body(isolate, server):
    got = isolate.body("""
        from urllib.error import HTTPError
        from urllib.request import urlopen
        found = []
        for status in (404, 500):
            try:
                urlopen(f"{url}/status/{status}")
            except HTTPError as error:
                found.append([error.code, error.reason, error.read()])
        return [*found, urlopen(url + "/status/204").read()]
    """, url=server.url)  # fmt: skip
    assert got == [[404, "Not Found", b"a body"], [500, "Internal Server Error", b"a body"], b""]


def test_a_connection_serves_many_requests(isolate, server):
    got = isolate.body("""
        import http.client, json
        connection = http.client.HTTPConnection("127.0.0.1", port)
        found = []
        for n in range(3):
            connection.request("POST", f"/echo/{n}", body=str(n), headers={"X-N": str(n)})
            response = connection.getresponse()
            found.append([response.status, response.version, json.load(response)["body"]])
        return found
    """, port=server.port)  # fmt: skip
    assert got == [[200, 11, "0"], [200, 11, "1"], [200, 11, "2"]]


def test_a_body_may_be_made_on_the_way(isolate, server):
    got = isolate.body("""
        import http.client, io, json
        connection = http.client.HTTPConnection("127.0.0.1", port)
        found = []
        for body in ([b"a" * 70000, b"", b"b"], io.BytesIO(b"c" * 20000), io.StringIO("ü")):
            connection.request("POST", "/echo", body=body)
            got = json.load(connection.getresponse())
            found.append([len(got["body"]), [name for name, text in got["headers"] if name in ("transfer-encoding", "content-length")]])
        return found
    """, port=server.port)  # fmt: skip
    # The host knows the length of what it sends.
    assert got == [[70001, ["content-length"]], [20000, ["content-length"]], [1, ["content-length"]]]


def test_https_is_the_hosts(isolate, secure):
    got = isolate.body("""
        import http.client, json, ssl
        from urllib.request import urlopen
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context())
        connection.request("GET", "/echo")
        sock = connection.sock
        return [json.load(connection.getresponse())["secure"], json.load(urlopen(f"https://127.0.0.1:{port}/echo"))["secure"], ssl.__file__[-11:]]
    """, port=secure.port)  # fmt: skip
    assert got == [True, True, "_net_ssl.py"]


def test_a_certificate_that_is_not_trusted_is_an_error_whatever_the_context_says(isolate, secure):
    isolate.host = Host()
    got = isolate.body("""
        import ssl, warnings
        from urllib.error import URLError
        from urllib.request import urlopen
        found = []
        for context in (None, ssl._create_unverified_context()):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    urlopen(url, context=context)
                except URLError as error:
                    found.append([type(error.reason).__name__, isinstance(error.reason, ssl.SSLError), len(caught)])
        return found
    """, url=secure.url)  # fmt: skip
    assert got == [["SSLCertVerificationError", True, 0], ["SSLCertVerificationError", True, 1]]
    assert secure.requests == []


FAILURES = {
    "unknown name": ("http://nowhere.example/", "URLError", "gaierror"),
    "refused": ("http://127.0.0.1:1/", "URLError", "ConnectionRefusedError"),
    "time-out": ("{url}/slow?s=3", "TimeoutError", None),
    "no HTTP": ("{url}/garbage", "HTTPException", None),
}


@pytest.mark.parametrize(("target", "raised", "reason"), FAILURES.values(), ids=FAILURES.keys())
def test_failures_are_urllibs(isolate, server, target, raised, reason):
    got = isolate.body("""
        from urllib.request import urlopen
        try:
            urlopen(target, timeout=0.3)
        except Exception as error:
            cause = getattr(error, "reason", None)
            return [type(error).__name__, cause and type(cause).__name__]
    """, target=target.format(url=server.url))  # fmt: skip
    assert got == [raised, reason]


def test_an_answer_that_breaks_off_is_an_error(isolate, server):
    got = isolate.body("""
        from urllib.request import urlopen
        response = urlopen(url + "/break")
        try:
            return len(response.read())
        except Exception as error:
            return type(error).__name__
    """, url=server.url)  # fmt: skip
    assert got == "HTTPException"


def test_a_denial_ends_the_run_as_one(isolate, server, failure):
    isolate.host.granted = set()
    error = failure(isolate.body, """
        from urllib.request import urlopen
        return urlopen(url).read()
    """, url=server.url)  # fmt: skip
    value = f"127.0.0.1:{server.port}"
    assert (error.kind, error.type, error.subject, error.value) == ("permission", "PermissionDeniedError", "net", value)
    assert error.message == f'Requires net access to "{value}": run again with --allow-net={value}'
    assert "_net" not in error.traceback
    assert (isolate.host.calls, server.requests) == (["net.fetch"], [])


def test_a_redirect_to_a_host_that_is_not_granted_is_a_denial(isolate, server, failure):
    isolate.host.granted = {f"127.0.0.1:{server.port}"}
    error = failure(isolate.body, """
        from urllib.request import urlopen
        return urlopen(url + "/redirect?to=http://named.example/").read()
    """, url=server.url)  # fmt: skip
    assert (error.kind, error.value) == ("permission", "named.example:80")


def test_a_denial_is_no_failure_of_the_network(isolate, server):
    isolate.host.granted = set()
    got = isolate.body("""
        import fused
        from urllib.request import urlopen
        try:
            urlopen(url)
        except OSError:
            return "OSError"
        except fused.PermissionDeniedError as error:
            return [error.permission, error.value]
    """, url=server.url)  # fmt: skip
    assert got == ["net", f"127.0.0.1:{server.port}"]


def test_names_and_addresses_are_the_hosts_to_look_up(isolate, server):
    got = isolate.body("""
        import json, socket
        from urllib.request import urlopen
        json.load(urlopen(f"http://named.example:{port}/echo"))
        connection = socket.create_connection(("named.example", port))
        connection.sendall(b"GET /plain HTTP/1.0\\r\\nHost: named.example:%d\\r\\n\\r\\n")
        raw = b""
        while part := connection.recv(50):
            raw += part
        return [socket.gethostbyname("localhost"), connection.getpeername()[0], raw.partition(b"\\r\\n")[0], b"/plain" in raw]
    """.replace("%d", str(server.port)), port=server.port)  # fmt: skip
    assert got == ["127.0.0.1", "named.example", b"HTTP/1.1 200 OK", True]


def test_plain_sockets_can_talk_https(isolate, secure):
    got = isolate.body("""
        import socket, ssl
        sock = ssl.create_default_context().wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")
        with sock, sock.makefile("rwb") as stream:
            stream.write(b"GET /echo HTTP/1.1\\r\\nHost: 127.0.0.1:%d\\r\\n\\r\\n")
            stream.flush()
            return b'"secure": true' in stream.read()
    """.replace("%d", str(secure.port)), port=secure.port)  # fmt: skip
    assert got is True


OTHERS = {
    "a server that speaks first": "import smtplib; smtplib.SMTP('mail.example', 25)",
    "FTP": "import ftplib; ftplib.FTP('files.example')",
    "another protocol": "import socket; s = socket.create_connection(('db.example', 6379)); s.sendall(b'*1\\r\\n$4\\r\\nPING\\r\\n')",
    "bytes": "import socket; s = socket.create_connection(('db.example', 5432)); s.sendall(b'\\x00\\x00\\x00\\x08')",
    "STARTTLS": "import socket, ssl; s = socket.create_connection(('a.example', 80)); s.send(b'GET '); ssl.SSLContext().wrap_socket(s)",
    "a proxy": "import socket; s = socket.create_connection(('proxy.example', 3128)); s.sendall(b'CONNECT a.example:443 HTTP/1.1\\r\\n\\r\\n')",
    "a listener": "import socket; socket.socket().bind(('', 80))",
    "datagrams": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "an address": "import socket; socket.gethostbyname('a.example')",
    "a client's certificate": "import ssl; ssl.create_default_context().load_cert_chain('a.pem')",
}


@pytest.mark.parametrize("code", OTHERS.values(), ids=OTHERS.keys())
def test_what_is_no_http_fails_and_says_what_works(isolate, code):
    got = isolate.body(f"""
        try:
            {code}
        except Exception as error:
            return str(error)
    """)
    assert any(words in got for words in ("HTTP and HTTPS", "TLS", "HTTP request is sent"))
    assert isolate.host.calls == []


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no processes")
def test_importing_the_package_loads_no_http_library():
    from conftest import _guest

    folder = _guest.__file__.rsplit("/", 2)[0]
    script = f"import sys; sys.path.insert(0, {folder!r}); import fused._guest, fused._net_imports as n; n.install(); print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"http", "http.client", "socket", "ssl", "urllib.request", "asyncio", "fused._net", "fused._net_socket"}

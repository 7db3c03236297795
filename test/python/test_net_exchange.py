"""Requests as bytes: what is one plain request goes on, everything else goes nowhere."""

import textwrap

import pytest
from fused._net_exchange import Exchange

GET = b"GET /a?b=1 HTTP/1.1\r\nHost: a.example\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"

GOOD = {
    "no body": (GET, "GET", "/a?b=1", [("Host", "a.example")], None),
    "a length": (POST, "POST", "/a", [("Host", "a.example"), ("Content-Length", "5")], b"hello"),
    "chunks": (CHUNKED + b"3\r\nhel\r\n00002\r\nlo\r\n0\r\n\r\n", "POST", "/a", [("Host", "a.example")], b"hello"),
    "capital digits": (CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n", "POST", "/a", [("Host", "a.example")], b"0123456789"),
    "no chunk": (CHUNKED + b"0\r\n\r\n", "POST", "/a", [("Host", "a.example")], None),
    "HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", "GET", "/", [], None),
    "odd spaces": (b"GET / HTTP/1.1\r\nA:\t x y \t\r\nB:\r\n\r\n", "GET", "/", [("A", "x y"), ("B", "")], None),
    "Latin-1": (b"GET / HTTP/1.1\r\nA: \xe9\r\n\r\n", "GET", "/", [("A", "é")], None),
    "line breaks in a body": (POST.replace(b"hello", b"\r\n\r\nG"), "POST", "/a", [("Host", "a.example"), ("Content-Length", "5")], b"\r\n\r\nG"),
}  # fmt: skip


@pytest.mark.parametrize("step", [1, 3, 10_000])
@pytest.mark.parametrize(("data", "method", "target", "headers", "body"), GOOD.values(), ids=GOOD.keys())
def test_a_request_may_come_in_any_pieces(data, method, target, headers, body, step):
    exchange = Exchange("a.example", 80)
    for start in range(0, len(data), step):
        assert not exchange.is_complete
        exchange.feed(data[start : start + step])
    assert exchange.is_complete
    assert exchange.request() == (f"http://a.example:80{target}", method, headers, body)


BAD = {
    "a second request": GET + GET,
    "a second request behind a body": POST + GET,
    "a longer body than said": POST + b"x",
    "a second request behind chunks": CHUNKED + b"0\r\n\r\n" + GET,
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "the same length twice": b"POST / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "a length and chunks": b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a list of lengths": b"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello",
    "a signed length": b"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello",
    "a length with a separator": b"POST / HTTP/1.1\r\nContent-Length: 0_5\r\n\r\nhello",
    "another coding": b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a line break in a name": b"GET / HTTP/1.1\r\nA\r\nB: x\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nA: x\r\n B: y\r\n\r\n",
    "a space before the colon": b"POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello",
    "a lone line feed in a value": b"GET / HTTP/1.1\r\nA: x\nB: y\r\n\r\n",
    "a lone carriage return in a value": b"GET / HTTP/1.1\r\nA: x\rB: y\r\n\r\n",
    "a null in a value": b"GET / HTTP/1.1\r\nA: x\x00\r\n\r\n",
    "line feeds alone": b"GET / HTTP/1.1\nHost: a\n\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\n\r\n",
    "another version": b"GET / HTTP/2.0\r\n\r\n",
    "a request to a proxy": b"GET http://b.example/ HTTP/1.1\r\n\r\n",
    "a tunnel": b"CONNECT b.example:443 HTTP/1.1\r\n\r\n",
    "no path": b"OPTIONS * HTTP/1.1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "another protocol": b"*1\r\n$4\r\nPING\r\n",
    "a greeting": b"EHLO me\r\n",
    "a chunk with an extension": CHUNKED + b"5;a=b\r\nhello\r\n0\r\n\r\n",
    "a chunk that is longer": CHUNKED + b"3\r\nhello\r\n0\r\n\r\n",
    "a chunk of no size": CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    "a chunk of negative size": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "a chunk with a prefix": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "headers behind a body": CHUNKED + b"0\r\nHost: b.example\r\n\r\n",
    "an endless head": b"GET / HTTP/1.1\r\nA: " + b"x" * 300_000,
}


@pytest.mark.parametrize("step", [1, 10_000])
@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_what_is_no_single_plain_request_is_refused(data, step):
    exchange = Exchange("a.example", 80)
    with pytest.raises(OSError, match="Cannot talk to a.example:80") as caught:
        for start in range(0, len(data), max(step, len(data) // 20_000)):
            exchange.feed(data[start : start + max(step, len(data) // 20_000)])
    assert "nothing else does" in str(caught.value)


@pytest.mark.parametrize("host", ["", "a/b", "a@b", "a b", "a?b", "a#b", "[::1]", "a:b", "a\r\nb", "%61", "a\\b"])
def test_a_host_that_would_change_the_url_is_refused(host):
    with pytest.raises(OSError, match="no host name"):
        Exchange(host, 80)


@pytest.mark.parametrize(
    ("host", "authority"), [("a.example", "a.example:8080"), ("::1", "[::1]:8080"), ("bücher.example", "bücher.example:8080"), ("a_b", "a_b:8080")]
)
def test_the_url_has_the_host_that_was_connected_to(host, authority):
    exchange = Exchange(host, 8080)
    exchange.is_secure = True
    exchange.feed(b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n")
    assert exchange.request()[0] == f"https://{authority}/"


# What clients of Python can be talked into, by way of a library that checks nothing: a socket of http.client.
TRICKS = {
    "a header in a value": r"""
        connection.putrequest("GET", "/echo")
        connection._buffer.append(b"X: a\r\nContent-Length: 40\r\nContent-Length: 2")
        connection.endheaders()
    """,
    "a request behind a request": r"""
        connection.request("GET", "/echo")
        connection.sock.sendall(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    """,
    "a request behind a body": r"""
        connection.request("POST", "/echo", body=b"helloGET /smuggled HTTP/1.1\r\n\r\n", headers={"Content-Length": "5"})
    """,
    "a request in the headers": r"""
        connection.putrequest("GET", "/echo")
        connection._buffer.append(b"A: b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a")
        connection.endheaders()
    """,
    "a target with a line": r"""
        connection._validate_path = lambda path: None
        connection.request("GET", "/echo HTTP/1.1\r\nA: b\r\n\r\nGET /smuggled")
    """,
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS.keys())
def test_tricks_do_not_reach_a_server(isolate, server, trick):
    code = "import http.client\nconnection = http.client.HTTPConnection('127.0.0.1', port)\n" + textwrap.dedent(trick)
    got = isolate.body(f"""
        try:
{textwrap.indent(code, " " * 12)}
        except OSError as error:
            return str(error)
    """, port=server.port)  # fmt: skip
    assert "nothing else does" in got
    assert not any("smuggled" in request for request in server.requests)
    assert len(server.requests) <= 1

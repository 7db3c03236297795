"""asyncio's streams and aiohttp by way of the host."""

import pytest
from net_servers import pattern


def test_streams_carry_a_request(isolate, server, secure):
    got = isolate.body_async("""
        import asyncio
        found = []
        for port, ssl in ((plain, None), (safe, True)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ssl)
            writer.write(f"GET /echo HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n".encode())
            writer.write(b"\\r\\n")
            await writer.drain()
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            found += [head.partition(b"\\r\\n")[0], b'"secure": true' in await reader.read()]
            writer.close()
            await writer.wait_closed()
        return found
    """, plain=server.port, safe=secure.port)  # fmt: skip
    assert got == [b"HTTP/1.1 200 OK", False, b"HTTP/1.1 200 OK", True]


def test_what_is_no_http_ends_the_connection(isolate):
    got = isolate.body_async("""
        import asyncio
        from fused import _net_asyncio
        _net_asyncio._SILENT_SECONDS = 0.1
        found = []
        for words in (b"*1\\r\\n", b"", b"CONNECT a:1 HTTP/1.1\\r\\n\\r\\n"):
            reader, writer = await asyncio.open_connection("db.example", 6379)
            writer.write(words)
            try:
                await reader.read()
            except OSError as error:
                found.append("nothing else does" in str(error))
        _net_asyncio._SILENT_SECONDS = 5
        return found
    """)
    assert got == [True] * 3
    assert isolate.host.calls == []


def test_a_denial_ends_the_run_as_one(isolate, server, failure):
    isolate.host.granted = set()
    error = failure(isolate.body_async, """
        import asyncio
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\\r\\n\\r\\n")
        await reader.read()
    """, port=server.port)  # fmt: skip
    assert (error.kind, error.subject) == ("permission", "net")


def test_aiohttp_does_what_it_does_elsewhere(isolate, server, secure):
    pytest.importorskip("aiohttp")
    got = isolate.body_async("""
        import aiohttp, asyncio
        async with aiohttp.ClientSession(headers={"X-Mine": "1"}) as session:
            async with session.get(url + "/echo", params={"a": "1 2"}) as answer:
                first = [answer.status, await answer.json()]
            async with session.post(url + "/echo", json={"a": 1}) as answer:
                sent = (await answer.json())["body"]
            form = aiohttp.FormData()
            form.add_field("file", b"content", filename="a.txt")
            async with session.post(url + "/echo", data=form) as answer:
                multipart = "content" in (await answer.json())["body"]
            async with session.get(url + "/bytes?n=3000000") as answer:
                data = b"".join([part async for part in answer.content.iter_chunked(10000)])
            async with session.get(url + "/redirect?to=/gzip") as answer:
                followed = [await answer.json(), answer.url.path]
            async with session.get(safe + "/echo") as answer:
                secure = (await answer.json())["secure"]
            several = await asyncio.gather(*(session.get(f"{url}/echo/{n}") for n in range(4)))
            return [first, sent, multipart, data, followed, secure, [answer.status for answer in several]]
    """, url=server.url, safe=secure.url)  # fmt: skip
    assert got[0][0] == 200
    assert got[0][1]["path"] == "/echo?a=1+2"
    assert ["x-mine", "1"] in got[0][1]["headers"]
    assert got[1:] == ['{"a": 1}', True, pattern(3_000_000), [{"compressed": True}, "/gzip"], True, [200] * 4]


def test_aiohttp_names_its_own_failures(isolate, server, failure):
    pytest.importorskip("aiohttp")
    got = isolate.body_async("""
        import aiohttp
        found = []
        async with aiohttp.ClientSession() as session:
            for target in ("http://nowhere.example/", "http://127.0.0.1:1/", url + "/break", url + "/status/404"):
                try:
                    answer = await session.get(target, raise_for_status=True)
                    await answer.read()
                except aiohttp.ClientError as error:
                    found.append(type(error).__name__)
        return found
    """, url=server.url)  # fmt: skip
    assert got == ["ClientOSError", "ClientOSError", "ClientPayloadError", "ClientResponseError"]
    isolate.host.granted = set()
    error = failure(isolate.body_async, """
        import aiohttp
        async with aiohttp.ClientSession() as session:
            await session.get(url)
    """, url=server.url)  # fmt: skip
    assert (error.kind, error.subject) == ("permission", "net")

import asyncio
import http.client
import socket
import urllib.request

import fused


@fused.udf
async def udf(canary: str, folder: str, port: int, pid: int):
    reached = []
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            if connection.recv(100):
                reached.append("socket")
    except Exception:
        pass
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).read()
        reached.append("urllib")
    except Exception:
        pass
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/")
        connection.getresponse().read()
        reached.append("http.client")
    except Exception:
        pass
    try:
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if datagrams.sendto(b"x", ("127.0.0.1", port)):
            reached.append("datagram")
    except Exception:
        pass
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 2)
        writer.write(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        if await asyncio.wait_for(reader.read(100), 2):
            reached.append("asyncio")
    except Exception:
        pass
    try:
        from pyodide.http import pyfetch

        await pyfetch(f"http://127.0.0.1:{port}/")
        reached.append("pyfetch")
    except Exception:
        pass
    return reached

import json
import socket
import urllib.request

import fused

REQUESTS = {
    "two requests": "GET /a HTTP/1.1\r\nHost: S\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: S\r\n\r\n",
    "two lengths": "POST /smuggled HTTP/1.1\r\nHost: S\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
    "length and chunks": "POST /smuggled HTTP/1.1\r\nHost: S\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "proxy": "GET http://127.0.0.1/smuggled HTTP/1.1\r\nHost: S\r\n\r\n",
    "tunnel": "CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: S\r\n\r\n",
    "line feeds": "GET /a HTTP/1.1\nHost: S\nX-Smuggled: 1\n\n",
    "behind the body": "POST /a HTTP/1.1\r\nHost: S\r\nContent-Length: 1\r\n\r\nxGET /smuggled HTTP/1.1\r\nHost: S\r\n\r\n",
    "folded": "GET /a HTTP/1.1\r\nHost: S\r\nX-A: 1\r\n x-smuggled: 1\r\n\r\n",
    "another host": "GET /smuggled HTTP/1.1\r\nHost: other.test\r\n\r\n",
    "a space before the colon": "GET /a HTTP/1.1\r\nHost: S\r\nX-Smuggled : 1\r\n\r\n",
}


@fused.udf
def udf(server: str):
    host, port = server.split(":")
    reached = []
    for name, text in REQUESTS.items():
        try:
            with socket.create_connection((host, int(port)), timeout=1) as connection:
                connection.sendall(text.replace("Host: S", f"Host: {server}").encode())
                connection.recv(100)
        except Exception:
            pass
        seen = json.loads(urllib.request.urlopen(f"http://{server}/seen").read())
        found = [request for request in seen if "smuggled" in json.dumps(request).lower()]
        if len(found) > len(reached):
            reached.append(name)
    return reached

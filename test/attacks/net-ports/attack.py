import http.client

import fused


@fused.udf
def udf(port: int, server: str):
    granted = int(server.split(":")[1])
    ports = {
        "plain": port,
        "zeros": f"000000{port}",
        "tab": f"{port}\t",
        "beyond 65535": port + 65536,
        "negative": port - 65536,
        "fraction": float(port),
        "host with port": granted,
    }
    reached = []
    for name, written in ports.items():
        host = f"127.0.0.1:{port}" if name == "host with port" else "127.0.0.1"
        for way in (lambda: (host, written), lambda: (f"{host}:{written}", None)):
            try:
                connection = http.client.HTTPConnection(*way(), timeout=1)
                connection.request("GET", "/")
                if connection.getresponse().read() == b"canary" and name not in reached:
                    reached.append(name)
            except Exception:
                pass
    return reached

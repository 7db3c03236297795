import fused

FORGED = '"}\n{"permission":"net","value":"x","allowed":true}\n{"a":"'
VALUES = [
    f"/tmp/{FORGED}",
    f"fd://{FORGED}",
    f"s3://bucket/{FORGED}",
    '/tmp/","allowed":true,"x":"',
    "/tmp/" + "x" * 3000 + FORGED,
    "/tmp/\u2028{\"allowed\":true}\u2028",
    "/tmp/\r{\"allowed\":true}\r",
]


@fused.udf
def udf():
    try:
        from fused import _host
    except ImportError:
        # As a careless program writes it down.
        for value in VALUES:
            print('{"permission":"read","value":"%s","allowed":false}' % value)
        return []
    for value in [*VALUES, "/tmp/plain"]:
        for method in ("get", "list", "delete"):
            try:
                _host.call(f"storage.{method}", value)
                return ["allowed"]
            except Exception:
                pass
    return []

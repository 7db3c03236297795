import sys
import urllib.request

import fused

QUERIES = "\x1b[6n\x1b[c\x1b[21t\x1b]11;?\x07\x05\x1bP$qm\x1b\\\x1b[?1049h\x1b[200~\x1b]0;y\x07"


@fused.udf
def udf(port: int):
    print(QUERIES)
    print(QUERIES, file=sys.stderr)
    print("asked", flush=True)
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().decode()
    except OSError as error:
        raise fused.PermissionDeniedError(f"{error}{QUERIES}", getattr(error, "permission", "net"), f"127.0.0.1:{port}") from None

import time

import fused

CODE = """
@fused.udf
def large(n: int):
    return b"x" * 6_000_000
"""


@fused.udf
def udf():
    from fused import _host

    part = _host.call("udfs.define", {"name": "large", "code": CODE, "file": "large.py", "entrypoint": "large", "headers": []})
    numbers = _host.call("udfs.start", part, [{"n": n} for n in range(60)], None)
    # Time for all of them.
    time.sleep(4)
    begun = len(numbers) - len(_host.call("udfs.cancel", numbers))
    return ["300 MB of results"] if begun * 6 > 300 else []

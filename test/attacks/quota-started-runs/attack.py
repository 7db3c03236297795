import fused

CODE = """
@fused.udf
def waits(content, n: int):
    import time

    time.sleep(0.05)
"""


@fused.udf
def udf():
    from fused import _host

    part = _host.call("udfs.define", {"name": "waits", "code": CODE, "file": "waits.py", "entrypoint": "waits", "headers": []})
    reached = []

    def flood(content, batch, times):
        started = 0
        for n in range(times):
            started += len(_host.call("udfs.start", part, [{"content": content, "n": n}] * batch, None))
        return started

    # One object here, and another one in each of the host's messages.
    if flood(b"x" * 4_000_000, 1, 75) >= 75:
        reached.append("300 MB at once")
    if flood(b"", 100, 30) >= 3000:
        reached.append("3000 at once")
    return sorted(reached)

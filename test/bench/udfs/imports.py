import time

begun = time.perf_counter()
import fused  # noqa: E402

warm_ms = (time.perf_counter() - begun) * 1000


@fused.udf
def udf():
    """Milliseconds that the module's own `import fused` took, and that one takes of which nothing is loaded."""
    import sys

    ours = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "fused"}
    for name in ours:
        del sys.modules[name]
    try:
        begun = time.perf_counter()
        __import__("fused")
        return {"warm": warm_ms, "cold": (time.perf_counter() - begun) * 1000}
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "fused"]:
            del sys.modules[name]
        sys.modules.update(ours)

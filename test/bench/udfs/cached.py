"""A function that takes 100 ms, kept by the cache or called each time."""

import time

import fused


def slowly(n):
    end = time.perf_counter() + 0.1
    steps = 0
    while time.perf_counter() < end:
        steps += 1
    return {"n": n, "rows": [{"id": i, "value": i * n} for i in range(100)], "steps": steps}


kept = fused.cache(slowly, cache_verbose=False)


@fused.udf
def udf(n: int = 1, keep: bool = True):
    return (kept if keep else slowly)(n)

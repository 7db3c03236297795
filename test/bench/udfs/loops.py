import time

import fused


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def nested():
    total = 0
    for i in range(700):
        for j in range(1000):
            total += i ^ j
    return total


def texts():
    parts = []
    for i in range(120_000):
        parts.append(f"{i}:{i * 2}")
    return len(",".join(parts))


def updates():
    counts = {}
    for i in range(400_000):
        key = i % 1000
        counts[key] = counts.get(key, 0) + 1
    return len(counts)


LOOPS = {"fib": lambda: fib(27), "nested": nested, "texts": texts, "updates": updates}


def measure(name):
    started = time.perf_counter()
    LOOPS[name]()
    return (time.perf_counter() - started) * 1000


@fused.udf
def udf(name: str):
    return min(measure(name) for _ in range(3))

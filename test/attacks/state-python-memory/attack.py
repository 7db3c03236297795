import ctypes
import re

import fused

# Neither this pattern nor the text below is what is looked for: only a run that left it has put it together.
PATTERN = re.compile(rb"[L]eft[-]by[-]an[-]earlier[-]run(?=Left)")


@fused.udf
def udf():
    heap = ctypes.CDLL(None).emscripten_get_heap_size
    heap.restype = ctypes.c_size_t
    size = heap()
    memory = memoryview((ctypes.c_char * (size - 8)).from_address(8)).cast("B")
    reached = ["memory"] if PATTERN.search(memory) else []

    secret = "-".join(["Left", "by", "an", "earlier", "run"]).encode()
    for length in (4, 40, 400, 4_000, 40_000, 400_000):
        kept = [secret * length for _ in range(3)]
        del kept
    return reached

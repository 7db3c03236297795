import fused


@fused.udf
def udf():
    kept = []
    while True:
        try:
            kept.append(bytearray(b"x" * 20_000_000))
        except MemoryError:
            pass

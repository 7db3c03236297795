import fused


@fused.udf
def udf():
    print("x" * 100_000_000)
    return []

import fused


@fused.udf
def udf():
    return ["x" * 100_000 for _ in range(300)]

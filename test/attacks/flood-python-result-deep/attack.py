import fused


@fused.udf
def udf():
    value = 1
    for _ in range(200_000):
        value = {"a": [value]}
    return value

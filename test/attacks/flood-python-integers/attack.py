import fused


@fused.udf
def udf():
    return (10 ** 10**8) % 7

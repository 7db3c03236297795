import fused
import itertools


@fused.udf
def udf():
    chain = iter(())
    for _ in range(200_000):
        chain = itertools.chain(chain)
    return list(chain)

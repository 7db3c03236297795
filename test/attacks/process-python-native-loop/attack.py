import collections
import itertools

import fused


@fused.udf
def udf():
    print("running")
    collections.deque(itertools.repeat(None), maxlen=0)

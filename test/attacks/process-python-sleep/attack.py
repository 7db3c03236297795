import time

import fused


@fused.udf
def udf():
    print("running")
    time.sleep(10_000)

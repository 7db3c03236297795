import fused


@fused.udf
def udf():
    print("running")
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass

import fused


@fused.udf
def udf():
    print("running")
    while True:
        pass

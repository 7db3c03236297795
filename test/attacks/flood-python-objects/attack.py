import fused


@fused.udf
def udf():
    kept = []
    while True:
        kept.append([{str(len(kept)): float(len(kept))} for _ in range(1000)])

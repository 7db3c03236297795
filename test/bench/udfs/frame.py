import fused
import pandas as pd


@fused.udf
def udf(n: int = 100):
    frame = pd.DataFrame({"key": [i % 7 for i in range(n)], "value": [i * 0.5 for i in range(n)]})
    return frame.groupby("key").value.sum().reset_index()

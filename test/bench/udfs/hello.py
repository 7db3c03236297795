import fused


@fused.udf
def udf(name: str = "World", n: int = 3):
    return {"hello": name, "squares": [i * i for i in range(n)]}

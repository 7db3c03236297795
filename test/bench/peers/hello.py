import json


def udf(name="World", n=3):
    return {"hello": name, "squares": [i * i for i in range(n)]}


json.dumps(udf())

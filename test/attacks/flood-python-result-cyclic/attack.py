import fused


@fused.udf
def udf():
    value = {}
    value["value"] = [value]
    return value

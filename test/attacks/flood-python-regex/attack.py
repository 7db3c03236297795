import fused
import re


@fused.udf
def udf():
    return bool(re.match(r"(a|aa)+$", "a" * 200 + "b"))

import fused
import sys


@fused.udf
def udf():
    while True:
        print("line " * 20)
        sys.stderr.write("error " * 20)

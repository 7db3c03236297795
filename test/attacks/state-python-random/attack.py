import decimal
import gc
import random
import sys

import fused

SEED = 20_201
known = random.Random(SEED)
EXPECTED = [known.random() for _ in range(3)]


@fused.udf
def udf():
    traces = {
        "random": random.random() in EXPECTED,
        "decimal": decimal.getcontext().prec == 3,
        "recursion": sys.getrecursionlimit() == 777,
        "digits": sys.get_int_max_str_digits() == 641,
        "switch": sys.getswitchinterval() == 0.25,
        "collector": gc.get_threshold()[0] == 7,
    }
    reached = [name for name, found in traces.items() if found]

    random.seed(SEED)
    decimal.getcontext().prec = 3
    sys.setrecursionlimit(777)
    sys.set_int_max_str_digits(641)
    sys.setswitchinterval(0.25)
    gc.set_threshold(7)
    return reached

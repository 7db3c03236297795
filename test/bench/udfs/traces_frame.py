import builtins

import fused
import pandas as pd

seen = []


@fused.udf
def udf():
    """Leaves traces in four places and counts those that it finds."""
    found = len(seen) + hasattr(builtins, "trace") + hasattr(pd, "trace") + pd.get_option("display.width")
    seen.append(pd.DataFrame({"a": range(10)}))
    builtins.trace = pd.trace = 1
    pd.set_option("display.width", 81)
    return {"traces": found - 80}

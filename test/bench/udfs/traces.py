import builtins
import sys

import fused

seen = []


@fused.udf
def udf():
    """Leaves traces in four places and counts those that it finds."""
    found = len(seen) + hasattr(builtins, "trace") + hasattr(sys, "trace") + ("trace" in sys.modules)
    seen.append(1)
    builtins.trace = sys.trace = sys.modules["trace"] = sys
    return {"traces": found}

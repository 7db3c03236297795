"""A runner without any wall, for controls: `python3 control-cpython.py ATTACK PARAMETERS` prints the answer as JSON."""

import asyncio
import inspect
import json
import sys
import types

fused = types.ModuleType("fused")
fused.udf = lambda function: function
sys.modules["fused"] = fused

namespace = {"__name__": "attack"}
with open(sys.argv[1]) as file:
    exec(compile(file.read(), "attack.py", "exec"), namespace)
udf = namespace["udf"]
parameters = {k: v for k, v in json.loads(sys.argv[2]).items() if k in inspect.signature(udf).parameters}
answer = udf(**parameters)
if inspect.isawaitable(answer):
    answer = asyncio.run(answer)
print(json.dumps(answer))

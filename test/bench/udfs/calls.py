import asyncio

import fused
from fused._host import call_async


@fused.udf
async def udf():
    return await asyncio.gather(*[call_async("clock.wait", i) for i in range(10)])

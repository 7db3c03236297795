import fused
import asyncio
import time


@fused.udf
async def udf():
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.1)
    except TimeoutError:
        time.sleep(10_000)

import fused
import asyncio


async def fork():
    await asyncio.sleep(0)
    await asyncio.gather(fork(), fork())


@fused.udf
async def udf():
    await fork()
